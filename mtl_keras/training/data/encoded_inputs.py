"""Inputs that are codes of something else, and the warning when one exports."""

from __future__ import annotations

import weakref
from typing import Any

# By their identity: arrays have no hash.
_ENCODED: dict[int, weakref.ref] = {}


def mark_encoded(inputs: Any) -> Any:
    """Marks inputs whose numbers stand for the columns of a table.

    Args:
        inputs: A `tf.data.Dataset` or an array.

    Returns:
        The same.
    """
    number = id(inputs)
    _ENCODED[number] = weakref.ref(inputs, lambda _: _ENCODED.pop(number, None))
    return inputs


def is_encoded(inputs: Any) -> bool:
    """Tells whether inputs were marked.

    Args:
        inputs: What `fit` was given.
    """
    found = _ENCODED.get(id(inputs))
    return found is not None and found() is inputs
