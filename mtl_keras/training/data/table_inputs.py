"""Raw columns of a table as inputs: missing values, and 64-bit numbers."""

from __future__ import annotations

from collections.abc import Mapping

import keras
import numpy as np
import tensorflow as tf

from mtl_keras.columns.column_values import as_dtype, check_columns
from mtl_keras.layers import NumberEncoding

_BATCH_SIZE = 32  # that of keras.Model.predict


def raw_columns(model, x):
    """Converts the columns of a table for a model that encodes them.

    Args:
        model: A functional model.
        x: Inputs.

    Returns:
        For a model of `mtl_keras.tables.with_raw_columns` and a dict of
        columns or a `pandas.DataFrame`: a dict from the name of an input to an
        array of shape `(n,)` in its dtype, with a missing value as the model
        takes it. Otherwise `x`.

    Raises:
        TypeError: If a column is of another kind than in training.
        ValueError: If a column is missing, or has another length.
    """
    is_frame = hasattr(x, "columns") and hasattr(x, "keys")
    if not (is_frame or isinstance(x, Mapping)) or not _encodes_columns(model):
        return x
    dtypes = {tensor.name: str(tensor.dtype) for tensor in model.inputs}
    return {
        name: as_dtype(name, values, dtypes[name])
        for name, values in check_columns(x, dtypes).items()
    }


def _encodes_columns(model) -> bool:
    lookups = keras.layers.StringLookup | keras.layers.IntegerLookup
    return (
        isinstance(model.input, Mapping)
        and all(tuple(tensor.shape) == (None, 1) for tensor in model.inputs)
        and any(
            isinstance(layer, lookups | NumberEncoding)
            for layer in model.layers
        )
    )


def takes_holes(model, tensor) -> bool:
    """Returns whether a model fills the missing values of an input.

    Args:
        model: A functional model.
        tensor: One of its inputs.
    """
    return any(
        isinstance(layer, NumberEncoding) and layer.input is tensor
        for layer in model.layers
    )


def check_float64(model, x) -> None:
    """Checks that float64 inputs keep their values.

    Keras casts all arrays of floats to float32, but not those of streams.

    Args:
        model: A functional model.
        x: Inputs, arrays in its structure.

    Raises:
        ValueError: If values would be rounded.
    """
    arrays = keras.tree.flatten(x)
    if len(arrays) != len(model.inputs):
        return  # another check raises the error
    for array, tensor in zip(arrays, model.inputs, strict=True):
        if tensor.dtype != "float64" or array is None:
            continue
        array = np.asarray(array, "float64")
        rounded = array.astype("float32").astype("float64")
        if not np.array_equal(array, rounded, equal_nan=True):
            raise ValueError(
                f"Input {tensor.name!r}: Keras casts arrays to float32, which "
                "rounds its large numbers. Pass a stream: "
                "tf.data.Dataset.from_tensor_slices((x, y)).batch(32)."
            )


def stream_of_float64(model, x, batch_size: int | None):
    """Makes a stream of inputs that Keras would round as arrays.

    Args:
        model: A functional model.
        x: Inputs, in its structure.
        batch_size: Samples per batch, or `None` for 32.

    Returns:
        `(x, batch_size)`: a `tf.data.Dataset` and `None` if an input is
        float64, otherwise both arguments.
    """
    wide = [tensor.dtype == "float64" for tensor in model.inputs]
    if not isinstance(x, Mapping) or not any(wide):
        return x, batch_size
    columns = {
        name: np.asarray(values).reshape(len(values), -1)
        for name, values in x.items()
    }
    stream = tf.data.Dataset.from_tensor_slices(columns)
    return stream.batch(batch_size or _BATCH_SIZE), None
