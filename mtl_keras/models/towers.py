"""Towers of hidden layers, one for each task."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from mtl_keras import trunks
from mtl_keras.tasks import Task


def build_towers(
    features: Sequence,
    tasks: Sequence[Task],
    depth: int,
    linear: Callable,
    stitch: Callable | None = None,
    **settings,
) -> dict:
    """Builds a tower for each task, level by level.

    Args:
        features: Keras tensor that each tower reads.
        tasks: List of tasks.
        depth: Number of hidden layers of each tower.
        linear: Function from a level (counted from 1), the index of a task
            and its features to the output of the linear part of a layer.
        stitch: Function from the features of all tasks to those that each
            continues with. Defaults to `None`.
        **settings: Activation, normalization and dropout, see
            `mtl_keras.trunks.activate`.

    Returns:
        Dict from task name to features.
    """
    features = list(features)
    for level in range(1, depth + 1):
        features = [
            trunks.activate(
                linear(level, index, x),
                name=f"{task.name}_tower",
                level=level,
                **settings,
            )
            for index, (task, x) in enumerate(zip(tasks, features, strict=True))
        ]
        if stitch is not None:
            features = stitch(features)
    names = [task.name for task in tasks]
    return dict(zip(names, features, strict=True))


def resolve_equal_widths(argument: str, widths, tasks: Sequence[Task]):
    """Returns the widths that all towers have, or raises an error.

    Args:
        argument: Name of the argument, for error messages.
        widths: A list, or a dict from task name to equal lists.
        tasks: List of tasks.

    Raises:
        ValueError: If towers differ in depth or width, or the names are not
            those of the tasks.
    """
    if not isinstance(widths, Mapping):
        return widths
    names = [task.name for task in tasks]
    if sorted(widths) != sorted(names):
        raise ValueError(
            f"{argument} names the towers {sorted(widths)}; expected one list "
            f"for each of the tasks {sorted(names)}, or one list for all."
        )
    first = names[0]
    for name in names[1:]:
        if tuple(widths[name]) != tuple(widths[first]):
            raise ValueError(
                f"{argument}: the tower of {first!r} has the widths "
                f"{tuple(widths[first])} and that of {name!r} "
                f"{tuple(widths[name])}. Towers are tied level by level, so "
                f"they need the same depth and widths: pass {argument}="
                f"{tuple(widths[first])} for all."
            )
    return widths[first]
