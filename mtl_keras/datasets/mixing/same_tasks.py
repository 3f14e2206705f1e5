"""Checks that tasks of one name mean the same in all data sets."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from mtl_keras.tasks import Task

MOST_NAMES_SHOWN = 20


def check_same_tasks(tasks: Mapping[str, Sequence[Task]]) -> None:
    """Checks that tasks of one name mean the same in all data sets.

    Their kind, their numbers of classes, labels or numbers, and the names of
    their classes, in order, must be equal where both say them.

    Args:
        tasks: Dict from the name of a data set to its tasks.

    Raises:
        ValueError: If two differ.
    """
    said: dict[tuple[str, str], tuple[str, object]] = {}
    for name, of_set in tasks.items():
        for task in of_set:
            for what, value in _meaning(task).items():
                key = (task.name, what)
                first, expected = said.setdefault(key, (name, value))
                if value == expected:
                    continue
                if what == "class_names":
                    raise ValueError(
                        _other_names(task.name, first, expected, name, value)
                    )
                raise ValueError(
                    f"Task {task.name!r} has {what}={expected} in data set "
                    f"{first!r} and {what}={value} in {name!r}; expected one "
                    "meaning. Say it alike for both, or rename the task of "
                    "one."
                )


def _meaning(task: Task) -> dict[str, object]:
    """What a task says of its labels; names of classes come first."""
    sizes = ("class_names", "num_classes", "num_labels", "units")
    found = {name: getattr(task, name, None) for name in sizes}
    found = {name: value for name, value in found.items() if value is not None}
    return found | {"kind": type(task).__name__}


def _other_names(task: str, first: str, here, second: str, there) -> str:
    said = (
        f"Task {task!r} has the class names {_listed(here)} in data set "
        f"{first!r} and {_listed(there)} in {second!r}"
    )
    if set(here) == set(there):
        said += ", the same in another order"
    pairs = enumerate(zip(here, there, strict=False))
    number = next((n for n, (a, b) in pairs if a != b), None)
    if number is not None:
        said += (
            f": class {number} is {here[number]!r} in the one and "
            f"{there[number]!r} in the other"
        )
    return (
        f"{said}. Read both by the codes of one (from_csv(..., like=data)), "
        "say the same class_names for both and number the classes by them, or "
        "rename the task of one."
    )


def _listed(names: Sequence[str]) -> str:
    shown = ", ".join(map(repr, names[:MOST_NAMES_SHOWN]))
    more = len(names) - MOST_NAMES_SHOWN
    return f"[{shown}, ... {more:,} more]" if more > 0 else f"[{shown}]"
