"""Compares the classes of a recipe's tasks with those of its data."""

from __future__ import annotations

from collections.abc import Iterable

from mtl_keras.tasks import Task


def add_class_names(
    tasks: Iterable[Task], found: Iterable[Task]
) -> tuple[Task, ...]:
    """Adds the class names of the data to the tasks of a recipe.

    Args:
        tasks: The tasks of the recipe.
        found: The tasks of the data, by whose classes labels are encoded.

    Returns:
        Tuple of the tasks of the recipe, with class names.

    Raises:
        ValueError: If a task has other class names than its labels.
    """
    by_name: dict[str, Task] = {}
    for task in found:
        first = by_name.setdefault(task.name, task)
        _check_same_names(task.name, "one data set", first, "another", task)
    named = []
    for task in tasks:
        labels = by_name.get(task.name)
        if labels is not None:
            _check_same_names(task.name, "the recipe", task, "the data", labels)
            task = task.with_class_names(labels.class_names)
        named.append(task)
    return tuple(named)


def _check_same_names(
    name: str, place: str, task: Task, other_place: str, other: Task
) -> None:
    names, others = task.class_names, other.class_names
    if names is None or others is None or tuple(names) == tuple(others):
        return
    raise ValueError(
        f"Task {name!r} has the class_names {list(names)[:10]} in {place} and "
        f"{list(others)[:10]} in {other_place}, so their numbers have "
        "different meanings. Set class_names in `tasks` of [data.arguments], "
        "by which the labels are read, or leave them out."
    )
