"""The texts by which a dimension and its values are known."""

from __future__ import annotations

from collections.abc import Mapping

# A parent hyperparameter and the labels of it under which another one counts.
Condition = tuple[str, tuple]


def not_in_space(name: str, found, expected: str) -> ValueError:
    """Makes the error for a value that is not in the space.

    Args:
        name: Name of the hyperparameter.
        found: The value.
        expected: What the space says, in words.
    """
    return ValueError(
        f"The hyperparameter {name!r} is {found!r}; the space says {expected}. "
        "Change the space, and pass a tuner of KerasTuner no hyperparameters= "
        "for what the space names."
    )


def describe_conditions(conditions: tuple[Condition, ...]) -> str:
    """Describes the conditions of a dimension, for study files.

    Args:
        conditions: The conditions; none give an empty text.
    """
    words = [f"{parent} in {list(labels)}" for parent, labels in conditions]
    return f" if {' and '.join(words)}" if words else ""


def label_of(value, at: int | None) -> str:
    """Returns a text that is the same in every process and for an equal object.

    Args:
        value: The value.
        at: Its place among the choices, or `None` for a fixed value.
    """
    if isinstance(value, str) and at is not None:
        return value
    if _is_plain(value):
        return repr(value)
    if isinstance(value, list | tuple):
        return f"[{', '.join(label_of(each, None) for each in value)}]"
    # Keras numbers the names of objects, so that equal ones differ in it.
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
