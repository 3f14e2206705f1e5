"""The checks that arguments of layers go through."""

from __future__ import annotations

import operator


def check_positive_integer(argument: str, value) -> int:
    """Returns an integer of 1 or more, or raises an error that names it.

    Args:
        argument: Name of the argument, for the message.
        value: What the user passed.

    Raises:
        TypeError: If it is no integer.
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
    """Returns the index of a task, or raises an error that names it.

    Args:
        task: Integer from 0.
        num_tasks: How many tasks the layer has parameters for.

    Raises:
        ValueError: If the layer has no such task.
    """
    if isinstance(task, bool) or task not in range(num_tasks):
        raise ValueError(
            f"task={task!r}; this layer has {num_tasks} tasks, so expected an "
            f"integer from 0 to {num_tasks - 1}."
        )
    return int(task)
