"""Reads the colours of classes from the argument `colors`."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any

from mtl_keras.argument_checks import is_integer

_EXPECTED = (
    "expected a dict from the name of each class to its colour, such as "
    "{'road': (128, 64, 128), 'car': (0, 0, 142)}, class 0 first"
)


@dataclasses.dataclass(frozen=True)
class ColorTable:
    """Colours of the classes of a task.

    Args:
        classes: Dict from colour, `(red, green, blue)`, to the index of its
            class.
        names: Tuple of the names of the classes, or `None`.
    """

    classes: Mapping[tuple[int, int, int], int]
    names: tuple[str, ...] | None = None

    @property
    def num_classes(self) -> int:
        """Number of classes."""
        return max(self.classes.values()) + 1


def read_color_tables(
    colors: Any, tasks: Sequence[str]
) -> dict[str, ColorTable]:
    """Reads the `colors` argument of `from_folder`.

    Args:
        colors: Dict from task name to a dict from class name to colour, or to
            a list of colours; for a single task also just the latter; or
            `None`.
        tasks: Names of the tasks that have masks.

    Returns:
        Dict from task name to its `ColorTable`.

    Raises:
        TypeError: If `colors` has another form.
        ValueError: If it names a task without masks, or a colour twice.
    """
    if colors is None:
        return {}
    if len(tasks) == 1 and _is_table(colors) and not _by_task(colors, tasks):
        colors = {tasks[0]: colors}
    if not isinstance(colors, Mapping):
        raise TypeError(f"`colors` is {colors!r}; {_EXPECTED}, for each task.")
    for name, table in colors.items():
        if name not in tasks:
            known = ", ".join(map(repr, tasks)) or "none"
            raise ValueError(
                f"`colors` names {name!r}, which has no masks. Tasks with "
                f"masks: {known}."
            )
        if not _is_table(table):
            raise TypeError(
                f"`colors` has {table!r} for the task {name!r}; {_EXPECTED}."
            )
    return {name: _read(name, table) for name, table in colors.items()}


def is_color(value: Any) -> bool:
    """Returns whether a value is a colour, three integers from 0 to 255.

    Args:
        value: Anything.
    """
    return (
        isinstance(value, Sequence)
        and not isinstance(value, str)
        and len(value) == 3
        and all(is_integer(v) and 0 <= v < 256 for v in value)
    )


def _by_task(colors, tasks) -> bool:
    """Returns whether the keys are tasks, and not classes."""
    return (
        isinstance(colors, Mapping)
        and set(colors) <= set(tasks)
        and not any(map(is_color, colors.values()))
    )


def _is_table(value) -> bool:
    if isinstance(value, Mapping):
        return bool(value) and all(map(_is_color_or_colors, value.values()))
    is_list = isinstance(value, Sequence) and not isinstance(value, str)
    return is_list and bool(value) and all(map(is_color, value))


def _is_color_or_colors(value) -> bool:
    if is_color(value):
        return True
    is_list = isinstance(value, Sequence) and not isinstance(value, str)
    return is_list and bool(value) and all(map(is_color, value))


def _read(task: str, table) -> ColorTable:
    names = tuple(table) if isinstance(table, Mapping) else None
    values = table.values() if isinstance(table, Mapping) else table
    if len(values) < 2:
        raise ValueError(
            f"`colors` has one class for the task {task!r}; expected at least "
            "two, such as the background and an object."
        )
    classes: dict[tuple[int, int, int], int] = {}
    for number, value in enumerate(values):
        for color in [value] if is_color(value) else value:
            color = tuple(map(int, color))
            if color in classes:
                raise ValueError(
                    f"`colors` has {color} for two classes of the task "
                    f"{task!r}. Give each class other colours."
                )
            classes[color] = number
    return ColorTable(classes, names)
