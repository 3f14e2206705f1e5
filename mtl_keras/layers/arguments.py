"""Checks the arguments of layers."""

from __future__ import annotations

import operator


def check_positive_integer(argument: str, value) -> int:
    """Returns a positive integer, or raises an error.

    Args:
        argument: Name of the argument, for error messages.
        value: Value of the argument.

    Raises:
        TypeError: If it is not an integer.
        ValueError: If it is below 1.
    """
    try:
        number = operator.index(value)
    except TypeError:
        number = None
    if number is None or isinstance(value, bool):
        raise TypeError(f"{argument}: {value!r} is not an integer.")
    if number < 1:
        raise ValueError(f"{argument}: found {number}, expected 1 or more.")
    return number


def check_task_index(task, num_tasks: int) -> int:
    """Returns the index of a task, or raises an error.

    Args:
        task: Integer, counted from 0.
        num_tasks: Number of tasks of the layer.

    Raises:
        ValueError: If the layer has no such task.
    """
    if isinstance(task, bool) or task not in range(num_tasks):
        raise ValueError(
            f"task={task!r}; expected an integer from 0 to {num_tasks - 1}, "
            f"because this layer has {num_tasks} tasks."
        )
    return int(task)
