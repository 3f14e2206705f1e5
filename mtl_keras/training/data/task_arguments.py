"""Arguments that are dicts by task name."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from mtl_keras.spelling import did_you_mean
from mtl_keras.tasks import Task


def to_task_dict(argument: str, given, tasks: Sequence[Task]) -> dict[str, Any]:
    """Checks an argument and converts it to a dict by task name.

    Args:
        argument: Name of the argument, for messages.
        given: Dict from the names of some or all tasks to values, or `None`.
            With one task also its value.
        tasks: The tasks of the model.

    Returns:
        Dict from the given task names to values.

    Raises:
        TypeError: If `given` is not a dict and there are several tasks.
        ValueError: If a task is unknown.
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
                f"{argument} names {name!r}, which is not a task of the "
                f"model. {did_you_mean(name, names)}"
            )
    return dict(given)
