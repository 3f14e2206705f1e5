"""Mask of the padding at the end of numeric sequences."""

from __future__ import annotations

import keras
from keras import ops


@keras.saving.register_keras_serializable("mtl_keras")
class PaddingMask(keras.layers.Layer):
    """Masks the final steps in which all channels equal the padding value.

    Unlike `keras.layers.Masking`, it does not mask such steps in the middle of
    a sequence, which may be a pause. The layer is called on a list of
    features and raw sequences. The mask depends on the raw sequences, so that
    the features may be normalized.

    Args:
        padding_value: Float, the padding value.
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
        """Returns the mask, which is `False` for padding.

        Args:
            inputs: List of the features and the raw sequences.
            previous_mask: Not used.

        Returns:
            Boolean tensor of shape `(batch, steps)`.
        """
        raw = ops.convert_to_tensor(inputs[1])
        has_value = ops.any(ops.not_equal(raw, self.padding_value), axis=-1)
        # A step is not padding if it or a later step has another value.
        flipped = ops.flip(ops.cast(has_value, "int32"), axis=1)
        return ops.flip(ops.cumsum(flipped, axis=1), axis=1) > 0

    def compute_output_shape(self, input_shape) -> tuple:
        """Returns the shape of the output."""
        return tuple(input_shape[0])

    def get_config(self):
        return {**super().get_config(), "padding_value": self.padding_value}
