"""Arguments of `compile` that name tasks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from mtl_keras.spelling import did_you_mean
from mtl_keras.tasks import Task


def by_task(argument: str, given, tasks: Sequence[Task]) -> dict[str, Any]:
    """Checks a dict from task name; for one task, its value will do.

    Args:
        argument: Name of the argument, for messages.
        given: A dict that names some or all tasks, or `None`.
        tasks: The tasks of the model.

    Returns:
        A dict that names the tasks that were given.

    Raises:
        TypeError: If `given` is no dict, and there are several tasks.
        ValueError: If a name is no task's.
    """
    if given is None:
        return {}
    names = [task.name for task in tasks]
    if not isinstance(given, Mapping):
        if len(names) == 1:
            return {names[0]: given}
        raise TypeError(
            f"{argument} is a {type(given).__name__}; expected a dict from "
            f"task name, with some or all of {names}."
        )
    for name in given:
        if name not in names:
            raise ValueError(
                f"{argument} names {name!r}, which is no task of the model. "
                f"{did_you_mean(name, names)}"
            )
    return dict(given)
