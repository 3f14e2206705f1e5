"""Arrays and their shapes, in the many forms that users bring."""

from __future__ import annotations

import keras
import numpy as np
import tensorflow as tf


def to_numpy(array) -> np.ndarray:
    """Views a tensor, data frame, column or list as a numpy array.

    pandas' nullable columns become floats with NaN where a value is missing,
    categorical ones what their categories hold.

    Args:
        array: Anything that `numpy.asarray` or Keras can convert.
    """
    if keras.ops.is_tensor(array):
        return keras.ops.convert_to_numpy(array)
    dtypes = getattr(array, "dtypes", None)
    if hasattr(array, "to_numpy") and dtypes is not None:
        dtypes = dtypes if hasattr(dtypes, "__iter__") else [dtypes]
        # Dtypes of pandas differ from those of numpy, and hold pandas.NA.
        if any(not isinstance(dtype, np.dtype) for dtype in dtypes):
            return _of_extension(array)
    return np.asarray(array)


def _of_extension(array) -> np.ndarray:
    try:
        return array.to_numpy(dtype="float64", na_value=np.nan)
    except (TypeError, ValueError):  # strings, or categories of strings
        return np.asarray(array)


def is_dense(array) -> bool:
    """Returns whether values lie in a plain array; Keras takes sparse ones too.

    Args:
        array: An array, a tensor or a list.
    """
    return not (
        hasattr(array, "tocsr")
        or isinstance(array, tf.SparseTensor | tf.RaggedTensor)
    )


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
