"""Converts the values of NumPy in a space to those of Python."""

from __future__ import annotations

import numpy as np


def to_plain(value):
    """Converts numbers and arrays of NumPy, and `range`, to Python's.

    Args:
        value: A value of a space, or a list, tuple or dict of values.

    Returns:
        The value, with numbers in place of NumPy's numbers, and lists in place
        of arrays and `range`. Other objects are returned unchanged.

    Example:

    >>> from mtl_keras.tuning.plain_values import to_plain
    >>> to_plain((np.int64(4), np.int64(16)))
    (4, 16)
    >>> to_plain(range(8, 33, 8))
    [8, 16, 24, 32]
    """
    if isinstance(value, np.generic):
        return value.item()
    if isinstance(value, np.ndarray):
        return value.tolist()
    if isinstance(value, range):
        return list(value)
    if type(value) in (list, tuple):  # a named tuple stays as it is
        return type(value)(map(to_plain, value))
    if type(value) is dict:
        return {to_plain(key): to_plain(each) for key, each in value.items()}
    return value
