"""Checks the arguments that several data sets and readers share."""

from collections.abc import Sequence
from typing import Any

from mtl_keras.argument_checks import is_integer


def check_count(name: str, value: Any) -> None:
    """Checks that a number of samples is an integer of at least 1.

    Args:
        name: Name of the argument, for the error.
        value: Value of the argument.

    Raises:
        ValueError: If `value` is not an integer, or below 1.
    """
    if not is_integer(value) or value < 1:
        raise ValueError(
            f"`{name}` must be an integer of at least 1, found {value!r}."
        )


def check_seed(value: Any) -> None:
    """Checks that a seed is an integer of at least 0.

    Args:
        value: Value of the argument `seed`.

    Raises:
        ValueError: If `value` is not an integer, or negative.
    """
    if not is_integer(value) or value < 0:
        raise ValueError(
            f"`seed` must be an integer of at least 0, found {value!r}. "
            "The same seed always gives the same data; for other data, pass "
            "another integer."
        )


def check_image_size(value: Any) -> tuple[int, int] | None:
    """Checks that an image size is `(height, width)` in pixels, or `None`.

    Args:
        value: Value of the argument `image_size`.

    Returns:
        `(height, width)`, or `None`.

    Raises:
        ValueError: If `value` is anything else.
    """
    if value is None:
        return None
    is_pair = isinstance(value, Sequence) and len(value) == 2
    if not is_pair or not all(is_integer(n) and n > 0 for n in value):
        raise ValueError(
            f"`image_size` must be (height, width) in pixels, found {value!r}."
        )
    return int(value[0]), int(value[1])
