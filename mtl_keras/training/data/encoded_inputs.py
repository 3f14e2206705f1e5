"""Marks of inputs that encode the columns of a table."""

from __future__ import annotations

import weakref
from typing import Any

# By identity: arrays have no hash.
_ENCODED: dict[int, weakref.ref] = {}


def mark_encoded(inputs: Any) -> Any:
    """Marks inputs that encode the columns of a table.

    An export of a model that was trained on them warns.

    Args:
        inputs: A `tf.data.Dataset` or an array.

    Returns:
        The inputs.
    """
    number = id(inputs)
    _ENCODED[number] = weakref.ref(inputs, lambda _: _ENCODED.pop(number, None))
    return inputs


def is_encoded(inputs: Any) -> bool:
    """Returns whether inputs were marked.

    Args:
        inputs: The inputs of `fit`.
    """
    found = _ENCODED.get(id(inputs))
    return found is not None and found() is inputs
