"""Checks that tasks with the same name agree in all data sets."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from mtl_keras.tasks import Task

MAX_NAMES_SHOWN = 20


def check_same_tasks(tasks: Mapping[str, Sequence[Task]]) -> None:
    """Checks that tasks with the same name agree in all data sets.

    Their kinds, their numbers of classes, labels or units, and their class
    names, in order, must be equal if both have them.

    Args:
        tasks: Dict from the name of a data set to its tasks.

    Raises:
        ValueError: If two tasks differ.
    """
    known: dict[tuple[str, str], tuple[str, object]] = {}
    for name, tasks_of_set in tasks.items():
        for task in tasks_of_set:
            for attribute, value in _attributes(task).items():
                key = (task.name, attribute)
                first, expected = known.setdefault(key, (name, value))
                if value == expected:
                    continue
                if attribute == "class_names":
                    raise ValueError(
                        _different_names(
                            task.name, first, expected, name, value
                        )
                    )
                raise ValueError(
                    f"Task {task.name!r} has {attribute}={expected} in data "
                    f"set {first!r} and {attribute}={value} in {name!r}. Use "
                    "the same for both, or rename the task of one."
                )


def _attributes(task: Task) -> dict[str, object]:
    """Returns the attributes to compare, class names first."""
    found = {}
    if task.class_names is not None:
        found["class_names"] = task.class_names
    if task.size_argument is not None:
        found[task.size_argument] = task.output_size
    return found | {"kind": type(task).__name__}


def _different_names(task: str, first: str, names, second: str, others) -> str:
    text = (
        f"Task {task!r} has the class names {_list_names(names)} in data set "
        f"{first!r} and {_list_names(others)} in {second!r}"
    )
    if set(names) == set(others):
        text += ", the same in another order"
    pairs = enumerate(zip(names, others, strict=False))
    number = next((n for n, (a, b) in pairs if a != b), None)
    if number is not None:
        text += (
            f": class {number} is {names[number]!r} in the first and "
            f"{others[number]!r} in the second"
        )
    return (
        f"{text}. Read both with the same encoding (from_csv(..., like=data)), "
        "pass the same class_names for both and encode the classes by them, or "
        "rename the task of one."
    )


def _list_names(names: Sequence[str]) -> str:
    shown = ", ".join(map(repr, names[:MAX_NAMES_SHOWN]))
    more = len(names) - MAX_NAMES_SHOWN
    return f"[{shown}, ... {more:,} more]" if more > 0 else f"[{shown}]"
