"""Conversion of arrays and comparison of shapes."""

from __future__ import annotations

import keras
import numpy as np
import tensorflow as tf


def to_numpy(array) -> np.ndarray:
    """Converts a tensor, data frame, column or list to a numpy array.

    Nullable columns of pandas become floats with NaN for missing values,
    categorical columns become the values of their categories.

    Args:
        array: Any object that `numpy.asarray` or Keras can convert.
    """
    if keras.ops.is_tensor(array):
        return keras.ops.convert_to_numpy(array)
    dtypes = getattr(array, "dtypes", None)
    if hasattr(array, "to_numpy") and dtypes is not None:
        dtypes = dtypes if hasattr(dtypes, "__iter__") else [dtypes]
        # Extension dtypes of pandas may contain pandas.NA.
        if any(not isinstance(dtype, np.dtype) for dtype in dtypes):
            return _from_extension_array(array)
    return np.asarray(array)


def _from_extension_array(array) -> np.ndarray:
    try:
        return array.to_numpy(dtype="float64", na_value=np.nan)
    except (TypeError, ValueError):  # strings, or categories of strings
        return np.asarray(array)


def is_dense(array) -> bool:
    """Returns whether an array is neither sparse nor ragged.

    Args:
        array: An array, a tensor or a list.
    """
    return not (
        hasattr(array, "tocsr")
        or isinstance(array, tf.SparseTensor | tf.RaggedTensor)
    )


def shapes_match(shape: tuple, expected: tuple) -> bool:
    """Returns whether a shape matches, with `None` for any length.

    Args:
        shape: The shape.
        expected: The expected shape.
    """
    return len(shape) == len(expected) and all(
        size is None or expected_size is None or size == expected_size
        for size, expected_size in zip(shape, expected, strict=True)
    )


def format_shape(shape: tuple) -> str:
    """Formats a shape for messages, with n for the batch axis.

    Args:
        shape: Shape without the batch axis; `None` is any length.
    """
    inner = "".join(f", {'any' if n is None else n}" for n in shape)
    return f"(n{inner})" if shape else "(n,)"
