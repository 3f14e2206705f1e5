"""Encoding of a number by sines and cosines."""

from __future__ import annotations

import math

import keras
import numpy as np
from keras import ops

from mtl_keras.layers.arguments import check_positive_integer


@keras.saving.register_keras_serializable("mtl_keras")
class PeriodicEncoding(keras.layers.Layer):
    """Encodes a number by sines and cosines.

    The number x becomes `sin(2 pi c_k x)` and `cos(2 pi c_k x)`, with
    frequencies c_k that are drawn once from a normal distribution. A linear
    layer on them can represent a smooth function of x that changes often,
    which networks hardly learn from x itself.

    Args:
        num_frequencies: Integer, number of frequencies. Defaults to `16`.
        deviation: Float above 0, standard deviation of the frequencies, for
            standardized inputs. A larger value fits faster changes. Defaults
            to `0.5`.
        seed: Integer, seed of the frequencies. Defaults to `0`.
        **kwargs: See `keras.layers.Layer`.

    Raises:
        TypeError: If `num_frequencies` is not an integer.
        ValueError: If it is below 1, or `deviation` is not above 0.

    Example:

    >>> layer = mtl_keras.layers.PeriodicEncoding(num_frequencies=4)
    >>> layer(np.array([[0.5], [-1.0]])).shape
    TensorShape([2, 8])

    Reference:
        Gorishniy et al., "On Embeddings for Numerical Features in Tabular Deep
        Learning", NeurIPS 2022, where the frequencies are trained.
    """

    def __init__(
        self,
        num_frequencies: int = 16,
        deviation: float = 0.5,
        seed: int = 0,
        **kwargs,
    ):
        super().__init__(**kwargs)
        self.num_frequencies = check_positive_integer(
            "num_frequencies", num_frequencies
        )
        if not deviation > 0:
            raise ValueError(
                f"Layer {self.name!r}: deviation={deviation}; expected a "
                "number above 0."
            )
        self.deviation = float(deviation)
        self.seed = int(seed)
        drawn = np.random.default_rng(self.seed).normal(
            scale=self.deviation, size=self.num_frequencies
        )
        self._waves = (2 * math.pi * drawn).astype("float32")

    def call(self, inputs):
        x = ops.cast(inputs, self.compute_dtype)
        angles = x * ops.cast(self._waves, self.compute_dtype)
        return ops.concatenate([ops.sin(angles), ops.cos(angles)], axis=-1)

    def compute_output_shape(self, input_shape) -> tuple:
        """Returns the shape of the output."""
        return (*input_shape[:-1], 2 * self.num_frequencies)

    def get_config(self):
        return {
            **super().get_config(),
            "num_frequencies": self.num_frequencies,
            "deviation": self.deviation,
            "seed": self.seed,
        }
