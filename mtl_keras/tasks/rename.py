"""Tasks under other names."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence

from mtl_keras.spelling import did_you_mean
from mtl_keras.tasks.task import Task


def rename_tasks(
    tasks: Sequence[Task], names: Mapping[str, str] | None
) -> list[Task]:
    """Renames tasks.

    Args:
        tasks: The tasks.
        names: Dict from the name of a task to its new name, for some or all
            tasks. `None` renames none.

    Returns:
        A list of the tasks with the new names, in the same order.

    Raises:
        TypeError: If `names` is not a dict, or a new name is not a string.
        ValueError: If a task is unknown, a new name is not valid, or two tasks
            would have the same name.

    Example:

    >>> tasks = [mtl_keras.Classification("classification", 3)]
    >>> from mtl_keras.tasks.rename import rename_tasks
    >>> renamed = rename_tasks(tasks, {"classification": "stain"})
    >>> renamed[0].name
    'stain'
    """
    if names is None:
        return list(tasks)
    known = [task.name for task in tasks]
    if not isinstance(names, Mapping):
        raise TypeError(
            f"names={names!r}; expected a dict from the name of a task to its "
            f"new name, such as {{{known[0]!r}: 'stain'}}."
        )
    for name in names:
        if name not in known:
            raise ValueError(
                f"names renames {name!r}, but the model has no such task. "
                f"{did_you_mean(name, known)}"
            )
    renamed = [
        dataclasses.replace(task, name=names.get(task.name, task.name))
        for task in tasks
    ]
    found = [task.name for task in renamed]
    for old, new in zip(known, found, strict=True):
        if found.count(new) > 1 and old in names:
            raise ValueError(
                f"names renames task {old!r} to {new!r}, which is also the "
                f"name of another task: {found}. Choose a different name for "
                "each task."
            )
    return renamed
