"""One tower of hidden layers a task, side by side."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from mtl_keras import trunks
from mtl_keras.tasks import Task


def towers(
    features: Sequence,
    tasks: Sequence[Task],
    depth: int,
    linear: Callable,
    stitch: Callable | None = None,
    **settings,
) -> dict:
    """Builds a tower for each task, level by level.

    Args:
        features: What each tower reads, a Keras tensor a task.
        tasks: The tasks.
        depth: Number of hidden layers of each tower.
        linear: Function from a level (counted from 1), the index of a task
            and its features to the output of the linear part.
        stitch: Function from a level and the features of all tasks to those
            that each goes on with. Defaults to none.
        **settings: Activation, normalization and dropout, see
            `mtl_keras.trunks.activate`.

    Returns:
        Dict from task name to features.
    """
    features = list(features)
    for level in range(1, depth + 1):
        features = [
            trunks.activate(
                linear(level, index, of_task),
                name=f"{task.name}_tower",
                level=level,
                **settings,
            )
            for index, (task, of_task) in enumerate(
                zip(tasks, features, strict=True)
            )
        ]
        if stitch is not None:
            features = stitch(level, features)
    names = [task.name for task in tasks]
    return dict(zip(names, features, strict=True))


def equal_towers(argument: str, widths, tasks: Sequence[Task]):
    """Returns the widths that all towers have, or raises an error.

    Args:
        argument: Name of the argument, for the message.
        widths: A list, or a dict from task name to lists that are equal.
        tasks: The tasks.

    Raises:
        ValueError: If towers differ in depth or width, or names do not fit.
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
