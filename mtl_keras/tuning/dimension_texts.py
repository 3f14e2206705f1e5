"""Formats dimensions and their values for files and messages."""

from __future__ import annotations

from collections.abc import Mapping

# Another hyperparameter, and its labels for which a hyperparameter is active.
Condition = tuple[str, tuple]


def not_in_space(name: str, found, expected: str) -> ValueError:
    """Creates the error for a value that is not in the space.

    Args:
        name: Name of the hyperparameter.
        found: The value.
        expected: Description of the values in the space.
    """
    return ValueError(
        f"The hyperparameter {name!r} is {found!r}; the space has {expected}. "
        "Change the space, and do not declare its names in the "
        "hyperparameters= of a KerasTuner tuner."
    )


def describe_conditions(conditions: tuple[Condition, ...]) -> str:
    """Describes the conditions of a dimension, for study files.

    Args:
        conditions: The conditions. Without conditions, the text is empty.
    """
    words = [f"{parent} in {list(labels)}" for parent, labels in conditions]
    return f" if {' and '.join(words)}" if words else ""


def make_label(value, at: int | None) -> str:
    """Returns a label that is equal in every process and for equal objects.

    Args:
        value: The value.
        at: Index of the value in the choices, or `None` for a fixed value.
    """
    if isinstance(value, str) and at is not None:
        return value
    if _is_plain(value):
        return repr(value)
    if isinstance(value, list | tuple):
        return f"[{', '.join(make_label(each, None) for each in value)}]"
    # Keras numbers the names of objects, so equal objects differ in them.
    name = getattr(value, "__name__", type(value).__name__)
    if at is not None:
        return f"{name} ({at})"
    config = getattr(value, "get_config", dict)()
    config = {n: v for n, v in config.items() if _is_plain(v) and n != "name"}
    return f"{name} {config}" if config else name


def _is_plain(value) -> bool:
    if isinstance(value, list | tuple):
        return all(map(_is_plain, value))
    if isinstance(value, Mapping):
        return all(map(_is_plain, [*value, *value.values()]))
    return value is None or isinstance(value, bool | int | float | str)
