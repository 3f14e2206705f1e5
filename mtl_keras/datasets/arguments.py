"""Checks of the arguments that several `load_data` functions share."""

from numbers import Integral
from typing import Any


def check_count(name: str, value: Any) -> None:
    """Checks that a number of samples is an integer of at least 1.

    Args:
        name: String, the argument that the error names.
        value: What the caller passed for it.

    Raises:
        ValueError: If `value` is no integer or below 1.
    """
    if not _is_integer(value) or value < 1:
        raise ValueError(
            f"`{name}` must be an integer of at least 1, found {value!r}."
        )


def check_seed(value: Any) -> None:
    """Checks that a seed is an integer of at least 0.

    Args:
        value: What the caller passed for `seed`.

    Raises:
        ValueError: If `value` is no integer or negative.
    """
    if not _is_integer(value) or value < 0:
        raise ValueError(
            f"`seed` must be an integer of at least 0, found {value!r}. "
            "The same seed always gives the same data; for other data, pass "
            "another integer."
        )


def _is_integer(value: Any) -> bool:
    # True and False are integers to Python, but a slip to whoever wrote them.
    return isinstance(value, Integral) and not isinstance(value, bool)
