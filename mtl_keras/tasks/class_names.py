"""Names of the classes of a task."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any


def check_class_names(
    name: str, class_names: Any, count: int
) -> tuple[str, ...] | None:
    """Checks the names of the classes of a task.

    Args:
        name: Name of the task, for the message.
        class_names: Sequence of strings, the name of class 0 first, or `None`.
        count: Number of names that the task needs.

    Returns:
        The names as a tuple, or `None` if there are none.

    Raises:
        TypeError: If they are not a sequence of strings.
        ValueError: If there are more or fewer than `count`, or one twice.
    """
    if class_names is None:
        return None
    is_list = isinstance(class_names, Sequence)
    if isinstance(class_names, str) or not is_list:
        raise TypeError(
            f"Task {name!r}: class_names={class_names!r}; expected a list of "
            f"{count} strings."
        )
    others = [given for given in class_names if not isinstance(given, str)]
    if others:
        raise TypeError(
            f"Task {name!r}: class_names holds {others[0]!r} of type "
            f"{type(others[0]).__name__}; expected strings."
        )
    if len(class_names) != count:
        raise ValueError(
            f"Task {name!r}: found {len(class_names)} class_names "
            f"{list(class_names)}; expected {count}, that of class 0 first."
        )
    twice = [given for given in class_names if class_names.count(given) > 1]
    if twice:
        raise ValueError(
            f"Task {name!r}: class_names holds {twice[0]!r} twice; expected a "
            "different name for each class."
        )
    return tuple(class_names)
