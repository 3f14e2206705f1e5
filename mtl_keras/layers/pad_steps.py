"""Padding of sequences to a minimum number of steps."""

from __future__ import annotations

import keras
import tensorflow as tf


@keras.saving.register_keras_serializable("mtl_keras")
class PadSteps(keras.layers.Layer):
    """Pads sequences with masked zeros to a minimum number of steps.

    Layers before it compute only as many steps as the longest sequence of a
    batch has. Layers after it have as many steps as their targets. Longer
    sequences are not truncated.

    Args:
        steps: Integer, minimum number of steps of the output.
        **kwargs: See `keras.layers.Layer`.

    Example:

    >>> layer = mtl_keras.layers.PadSteps(3)
    >>> print(layer(np.ones((1, 2, 1)))[0, :, 0].numpy())
    [1. 1. 0.]
    """

    def __init__(self, steps: int, **kwargs):
        super().__init__(**kwargs)
        self.steps = steps
        self.supports_masking = True

    def call(self, inputs):
        missing = tf.maximum(self.steps - tf.shape(inputs)[1], 0)
        return tf.pad(inputs, [[0, 0], [0, missing], [0, 0]])

    def compute_mask(self, inputs, mask=None):
        """Returns the mask of the output, which is `False` for added steps.

        Args:
            inputs: Tensor of shape `(batch, steps, channels)`.
            mask: Mask of the inputs, or `None`.
        """
        if isinstance(inputs, keras.KerasTensor):  # while the graph is built
            shape = self.compute_output_spec(inputs).shape[:2]
            return keras.KerasTensor(shape, "bool")
        if mask is None:
            mask = tf.ones(tf.shape(inputs)[:2], "bool")
        missing = tf.maximum(self.steps - tf.shape(mask)[1], 0)
        return tf.pad(mask, [[0, 0], [0, missing]])

    def compute_output_spec(self, inputs):
        """Returns the shape and dtype of the output."""
        batch, steps, channels = inputs.shape
        steps = None if steps is None else max(steps, self.steps)
        return keras.KerasTensor((batch, steps, channels), inputs.dtype)

    def get_config(self):
        return {**super().get_config(), "steps": self.steps}
