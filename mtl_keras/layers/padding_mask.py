"""The mask of the padding at the end of numeric sequences."""

from __future__ import annotations

import keras
from keras import ops


@keras.saving.register_keras_serializable("mtl_keras")
class PaddingMask(keras.layers.Layer):
    """Masks the steps at the end of which all channels are one number.

    Such a step in the middle of a sequence (a pause, say) is none of the
    padding, unlike with `keras.layers.Masking`. The mask is that of the second
    tensor, the sequences as they are, so that the first may be normalized.

    Args:
        padding_value: The number.
        **kwargs: See `keras.layers.Layer`.

    Example:

    >>> raw = np.array([[[1.0], [0.0], [2.0], [0.0]]])
    >>> layer = mtl_keras.layers.PaddingMask(0.0)
    >>> layer.compute_mask([raw, raw]).numpy().tolist()
    [[True, True, True, False]]
    >>> layer([raw - 1, raw]).numpy().ravel().tolist()
    [0.0, -1.0, 1.0, 0.0]
    """

    def __init__(self, padding_value: float, **kwargs):
        super().__init__(**kwargs)
        self.padding_value = padding_value
        self.supports_masking = True

    def call(self, inputs):
        features, _ = inputs
        mask = self.compute_mask(inputs)
        return ops.where(mask[..., None], features, ops.zeros_like(features))

    def compute_mask(self, inputs, previous_mask=None):
        """Tells the steps of the sequences from padding.

        Args:
            inputs: The features, and the sequences as they are.
            previous_mask: Not used.

        Returns:
            Booleans of shape `(batch, steps)`.
        """
        raw = ops.convert_to_tensor(inputs[1])
        own = ops.any(ops.not_equal(raw, self.padding_value), axis=-1)
        # A step counts if it, or one after it, is none of the padding.
        after = ops.cumsum(ops.flip(ops.cast(own, "int32"), axis=1), axis=1)
        return ops.flip(after, axis=1) > 0

    def compute_output_shape(self, input_shape) -> tuple:
        """Shape of the output: that of the features."""
        return tuple(input_shape[0])

    def get_config(self):
        return {**super().get_config(), "padding_value": self.padding_value}
