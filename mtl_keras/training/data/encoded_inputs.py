"""Marks of inputs that are the encoded columns of a table."""

from __future__ import annotations

import weakref
from typing import Any

# By `id`, because arrays are not hashable.
_ENCODED: dict[int, weakref.ref] = {}


def mark_encoded(inputs: Any) -> Any:
    """Marks inputs as the encoded columns of a table.

    `MultiTaskModel.export` warns about a model that was trained on them.

    Args:
        inputs: A `tf.data.Dataset` or an array.

    Returns:
        The inputs.
    """
    number = id(inputs)
    _ENCODED[number] = weakref.ref(inputs, lambda _: _ENCODED.pop(number, None))
    return inputs


def is_encoded(inputs: Any) -> bool:
    """Returns whether inputs were marked by `mark_encoded`.

    Args:
        inputs: The argument `x` of `fit`.
    """
    reference = _ENCODED.get(id(inputs))
    return reference is not None and reference() is inputs
