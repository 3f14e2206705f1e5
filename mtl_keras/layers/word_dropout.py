"""Dropout of words: random tokens become unknown in training."""

from __future__ import annotations

import keras
from keras import ops

from mtl_keras.layers.token_ids import PADDING, UNKNOWN


@keras.saving.register_keras_serializable("mtl_keras")
class WordDropout(keras.layers.Layer):
    """Replaces random tokens by the unknown token, in training only.

    A network that trains on sentences with unknown words learns to use the
    words around them. Padding is not replaced.

    Args:
        rate: Float, share of the tokens to replace, in [0, 1).
        seed: Integer seed. Defaults to `None`, a random seed.
        **kwargs: See `keras.layers.Layer`.

    Example:

    >>> layer = mtl_keras.layers.WordDropout(0.5, seed=3)
    >>> ids = np.array([[7, 8, 9, 0]])
    >>> np.unique(layer(np.repeat(ids, 50, 0), training=True)).tolist()
    [0, 1, 7, 8, 9]

    Reference:
        Iyyer et al., "Deep Unordered Composition Rivals Syntactic Methods for
        Text Classification", ACL 2015.
    """

    def __init__(self, rate: float, seed: int | None = None, **kwargs):
        super().__init__(**kwargs)
        self.rate = rate
        self.seed = seed
        self.seed_generator = keras.random.SeedGenerator(seed)

    def call(self, inputs, training=False):
        if not training or not self.rate:
            return inputs
        draws = keras.random.uniform(
            ops.shape(inputs), seed=self.seed_generator, dtype="float32"
        )
        dropped = ops.logical_and(draws < self.rate, inputs != PADDING)
        return ops.where(dropped, ops.full_like(inputs, UNKNOWN), inputs)

    def compute_output_spec(self, inputs, training=False):
        """Returns the shape and dtype of the output."""
        return keras.KerasTensor(inputs.shape, inputs.dtype)

    def get_config(self):
        return {**super().get_config(), "rate": self.rate, "seed": self.seed}
