"""Names of the tasks of one model."""

from __future__ import annotations

from collections.abc import Sequence

from mtl_keras.tasks.task import Task


def check_task_names(tasks: Sequence[Task]) -> None:
    """Raises a `ValueError` if two tasks have the same name.

    Args:
        tasks: The tasks of a model.
    """
    names = [task.name for task in tasks]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise ValueError(
            f"Two tasks are named {twice[0]!r}; expected a different name for "
            f"each of {names}."
        )
