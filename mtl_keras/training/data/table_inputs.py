"""Raw table columns as inputs: missing values and float64."""

from __future__ import annotations

from collections.abc import Mapping

import keras
import numpy as np
import tensorflow as tf

from mtl_keras.columns.column_values import as_dtype, check_columns
from mtl_keras.layers import NumberEncoding

_BATCH_SIZE = 32  # the default of keras.Model.predict


def convert_raw_columns(model, x):
    """Converts table columns for a model that encodes them.

    Args:
        model: A functional model.
        x: Inputs.

    Returns:
        For a model of `mtl_keras.tables.with_raw_columns` and a dict of
        columns or a `pandas.DataFrame`: a dict from input name to an array of
        shape `(n,)` in the dtype of the input, with missing values as the
        model expects them. Otherwise `x`.

    Raises:
        TypeError: If the type of a column differs from training.
        ValueError: If a column is missing or has another length.
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


def accepts_missing_values(model, tensor) -> bool:
    """Returns whether a layer of a model fills missing values of an input.

    Args:
        model: A functional model.
        tensor: An input of the model.
    """
    return any(
        isinstance(layer, NumberEncoding) and layer.input is tensor
        for layer in model.layers
    )


def check_float64(model, x) -> None:
    """Checks that float64 inputs can be converted to float32.

    Keras converts float arrays to float32, but not streams.

    Args:
        model: A functional model.
        x: Inputs, arrays in the structure of the model.

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
                f"Input {tensor.name!r}: Keras converts arrays to float32, "
                "which rounds its large numbers. Pass a stream: "
                "tf.data.Dataset.from_tensor_slices((x, y)).batch(32)."
            )


def stream_float64(model, x, batch_size: int | None):
    """Converts inputs to a stream if the model has float64 inputs.

    Args:
        model: A functional model.
        x: Inputs, in the structure of the model.
        batch_size: Samples per batch, or `None` for 32.

    Returns:
        A tuple of a `tf.data.Dataset` and `None` if an input is float64,
        otherwise `(x, batch_size)`.
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
