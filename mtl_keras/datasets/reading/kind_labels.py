"""Describes the labels that a kind of task takes, by its attributes."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

from mtl_keras.tasks import Task


def has_one_class(kind: type[Task], labels_per: str) -> bool:
    """Checks whether a label is one class.

    Args:
        kind: Class of a task.
        labels_per: What has a label: `"sample"`, `"step"` or `"pixel"`.
    """
    is_class = kind.target_kind != "number" and not kind.columns
    return is_class and kind.labels_per == labels_per


def takes_class_names(kind: type[Task]) -> bool:
    """Checks whether `class_names` is an argument of a kind.

    Args:
        kind: Class of a task.
    """
    return "class_names" in {field.name for field in dataclasses.fields(kind)}


def check_class_names(
    task: str, kind: type[Task], names: Sequence[str], source: str
) -> None:
    """Checks that a task keeps the names of its classes.

    Args:
        task: Name of the task.
        kind: Class of the task.
        names: The names, that of class 0 first.
        source: Where they were found, for errors.

    Raises:
        ValueError: If the kind takes no names, and they are not the numbers
            of the classes.
    """
    numbers = [str(number) for number in range(len(names))]
    if takes_class_names(kind) or list(names) == numbers:
        return
    raise ValueError(
        f"Task {task!r}: found the classes {list(names)[:10]} in {source}, "
        f"but a {kind.__name__} takes no class_names. Number its classes from "
        "0."
    )


def format_size(kind: type[Task], size: int) -> str:
    """Formats the size of an output as an argument.

    Args:
        kind: Class of a task.
        size: Number of columns of its output.
    """
    argument = kind.size_argument
    return "one value" if argument is None else f"{argument}={size}"
