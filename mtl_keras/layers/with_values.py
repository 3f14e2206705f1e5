"""Layers that start from given values."""

from __future__ import annotations

from collections.abc import Sequence

import keras


def with_values(
    layer: keras.layers.Layer, input_shape, values: Sequence
) -> keras.layers.Layer:
    """Builds a layer and sets its weights.

    Args:
        layer: A layer that is not built.
        input_shape: Shape of the input, including the batch axis.
        values: Variables or arrays, in the order of the weights of the layer.

    Returns:
        The layer, with new variables.
    """
    layer.build(input_shape)
    for weight, value in zip(layer.weights, values, strict=True):
        weight.assign(keras.ops.convert_to_tensor(value))
    return layer
