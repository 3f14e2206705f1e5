"""Sinusoidal encoding of positions in a sequence."""

from __future__ import annotations

import keras
import numpy as np
from keras import ops


@keras.saving.register_keras_serializable("mtl_keras")
class PositionEncoding(keras.layers.Layer):
    """Adds sines and cosines of the position to a sequence of vectors.

    They are `sin(step / 10000^(2i / channels))` for channel 2i, and the cosine
    of the same angle for channel 2i + 1. Sequences may have any length, and
    padding at the end does not change the steps before it.

    Args:
        **kwargs: See `keras.layers.Layer`.

    Example:

    >>> layer = mtl_keras.layers.PositionEncoding()
    >>> print(layer(np.zeros((1, 2, 4))).numpy()[0, 1].round(2))
    [0.84 0.54 0.01 1.  ]

    Reference:
        Vaswani et al., "Attention Is All You Need", NeurIPS 2017.
    """

    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.supports_masking = True

    def call(self, inputs):
        channels = inputs.shape[-1]
        even = np.arange(channels) // 2 * 2
        rates = (10000.0 ** (-even / channels)).astype("float32")
        shifts = (np.arange(channels) % 2 * np.pi / 2).astype("float32")
        steps = ops.cast(ops.arange(ops.shape(inputs)[1]), "float32")
        angles = steps[:, None] * rates + shifts
        return inputs + ops.cast(ops.sin(angles), inputs.dtype)

    def compute_output_shape(self, input_shape) -> tuple:
        """Returns the shape of the output."""
        return tuple(input_shape)
