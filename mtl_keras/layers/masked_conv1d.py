"""Convolution over the steps of padded sequences."""

from __future__ import annotations

import keras
from keras import ops


@keras.saving.register_keras_serializable("mtl_keras")
class MaskedConv1D(keras.layers.Conv1D):
    """Keras's `Conv1D` that reads masked steps as zeros and hands the mask on.

    `padding="same"` puts zeros around a sequence. With zeros in place of the
    masked steps too, what a sequence gives does not depend on how far it is
    padded.

    Args:
        filters: Channels of the output.
        kernel_size: Number of steps that are read together, odd.
        **kwargs: Those of `keras.layers.Conv1D` but for strides and padding,
            which keep the steps as they are.

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
