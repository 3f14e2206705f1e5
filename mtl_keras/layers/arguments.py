"""Checks the arguments of layers."""

from __future__ import annotations


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
