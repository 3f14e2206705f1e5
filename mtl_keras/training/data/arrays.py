"""Arrays and their shapes, in the many forms that users bring."""

from __future__ import annotations

import keras
import numpy as np


def to_numpy(array) -> np.ndarray:
    """Views a tensor, data frame or list as a numpy array.

    Args:
        array: Anything that `numpy.asarray` or Keras can convert.
    """
    if keras.ops.is_tensor(array):
        return keras.ops.convert_to_numpy(array)
    return np.asarray(array)


def shape_fits(shape: tuple, expected: tuple) -> bool:
    """Compares shapes, `None` on either side fitting any length.

    Args:
        shape: A shape.
        expected: The shape that it should have.
    """
    return len(shape) == len(expected) and all(
        found is None or wanted is None or found == wanted
        for found, wanted in zip(shape, expected, strict=True)
    )


def with_samples(shape: tuple) -> str:
    """Writes the shape of samples, with n for their number.

    Args:
        shape: Shape without the batch axis; `None` is any length.
    """
    inner = "".join(f", {'any' if n is None else n}" for n in shape)
    return f"(n{inner})" if shape else "(n,)"
