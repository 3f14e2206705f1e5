"""Raw columns of a table as inputs: holes, and numbers of 64 bits."""

from __future__ import annotations

from collections.abc import Mapping

import keras
import numpy as np
import tensorflow as tf

from mtl_keras.layers import NumberEncoding

_BATCH_SIZE = 32  # that of keras.Model.predict


def takes_holes(model, tensor) -> bool:
    """Tells whether an input is filled where it is missing.

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

    Keras makes float32 of all arrays of floats, and leaves streams alone.

    Args:
        model: A functional model.
        x: Inputs, arrays in its structure.

    Raises:
        ValueError: If values would be rounded.
    """
    arrays = keras.tree.flatten(x)
    if len(arrays) != len(model.inputs):
        return  # another check says so
    for array, tensor in zip(arrays, model.inputs, strict=True):
        if tensor.dtype != "float64" or array is None:
            continue
        array = np.asarray(array, "float64")
        rounded = array.astype("float32").astype("float64")
        if not np.array_equal(array, rounded, equal_nan=True):
            raise ValueError(
                f"Input {tensor.name!r}: Keras makes float32 of arrays, which "
                "rounds its large numbers. Pass a stream: "
                "tf.data.Dataset.from_tensor_slices((x, y)).batch(32)."
            )


def stream_of_float64(model, x, batch_size: int | None):
    """Makes a stream of inputs that arrays would round.

    Args:
        model: A functional model.
        x: Inputs, in its structure.
        batch_size: Samples per batch, or `None` for 32.

    Returns:
        `(x, batch_size)`: a `tf.data.Dataset` and `None` where an input is
        float64, otherwise what was given.
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
