"""Checks of arguments that all packages share."""

from __future__ import annotations

import operator


def is_integer(value) -> bool:
    """Checks for an integer, of Python or NumPy, that is not a bool.

    Python counts `True` as an integer; as an argument it is a mistake.

    Args:
        value: Any value.

    Example:

    >>> is_integer(np.int64(3)), is_integer(3.0), is_integer(True)
    (True, False, False)
    """
    try:
        operator.index(value)
    except TypeError:
        return False
    return not isinstance(value, bool)


def check_integer(argument: str, value, *, minimum: int) -> int:
    """Checks that an argument is an integer of at least a minimum.

    Args:
        argument: Name of the argument, for the error message.
        value: The value that the user passed.
        minimum: Smallest value that is allowed.

    Returns:
        The value as a Python integer.

    Raises:
        TypeError: If `value` is not an integer.
        ValueError: If `value` is below the minimum.

    Example:

    >>> check_integer("num_classes", 10, minimum=2)
    10
    """
    if not is_integer(value):
        raise TypeError(f"{argument}: {value!r} is not an integer.")
    number = operator.index(value)
    if number < minimum:
        raise ValueError(
            f"{argument}: found {number}, expected {minimum} or more."
        )
    return number
