"""Convolution over the steps of padded sequences."""

from __future__ import annotations

import keras
from keras import ops


@keras.saving.register_keras_serializable("mtl_keras")
class MaskedConv1D(keras.layers.Conv1D):
    """Convolution that reads masked steps as zeros and passes on the mask.

    `padding="same"` pads a sequence with zeros. Because masked steps are zeros
    too, the output of a sequence does not depend on its padding.

    Args:
        filters: Number of filters.
        kernel_size: Number of steps that a filter reads, odd.
        **kwargs: See `keras.layers.Conv1D`. `strides` and `padding` are fixed,
            so that the number of steps does not change.

    Example:

    >>> x = np.ones((1, 3, 1))
    >>> layer = mtl_keras.layers.MaskedConv1D(
    ...     1, 3, kernel_initializer="ones"
    ... )
    >>> layer(x, mask=np.array([[True, True, False]])).numpy().tolist()
    [[[2.0], [2.0], [1.0]]]
    """

    def __init__(self, filters: int, kernel_size: int, **kwargs):
        kwargs = {**kwargs, "padding": "same", "strides": 1}
        super().__init__(filters, kernel_size, **kwargs)
        self.supports_masking = True

    def call(self, inputs, mask=None):
        if mask is not None:
            inputs = ops.where(mask[..., None], inputs, ops.zeros_like(inputs))
        return super().call(inputs)
