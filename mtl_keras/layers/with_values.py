"""Layers that begin with the values that another layer has."""

from __future__ import annotations

from collections.abc import Sequence

import keras


def with_values(
    layer: keras.layers.Layer, input_shape, values: Sequence
) -> keras.layers.Layer:
    """Builds a layer and gives its weights values.

    Args:
        layer: A layer that was not built.
        input_shape: What it is built for, batch axis first.
        values: Variables or arrays, in the order of the layer's weights.

    Returns:
        The layer, with variables of its own.
    """
    layer.build(input_shape)
    for weight, value in zip(layer.weights, values, strict=True):
        weight.assign(keras.ops.convert_to_tensor(value))
    return layer
