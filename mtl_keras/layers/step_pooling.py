"""Pooling over the steps of a sequence that are not masked."""

from __future__ import annotations

import keras
from keras import ops

POOLINGS = ("average", "max")


@keras.saving.register_keras_serializable("mtl_keras")
class StepPooling(keras.layers.Layer):
    """Averages the unmasked steps of a sequence, or takes their maximum.

    Unlike `keras.layers.GlobalAveragePooling1D`, it returns zeros rather than
    NaN for a sequence whose steps are all masked, and it has a maximum that
    respects masks.

    Args:
        pooling: `"average"` or `"max"`. Defaults to `"average"`.
        **kwargs: See `keras.layers.Layer`.

    Raises:
        ValueError: If `pooling` has another value.

    Example:

    >>> x = np.array([[[1.0], [3.0], [9.0]]])
    >>> mask = np.array([[True, True, False]])
    >>> layer = mtl_keras.layers.StepPooling()
    >>> float(layer(x, mask=mask)[0, 0])
    2.0
    """

    def __init__(self, pooling: str = "average", **kwargs):
        super().__init__(**kwargs)
        if pooling not in POOLINGS:
            raise ValueError(
                f"pooling={pooling!r}; expected one of {POOLINGS}."
            )
        self.pooling = pooling
        self.supports_masking = True

    def call(self, inputs, mask=None):
        if mask is None:
            pool = ops.mean if self.pooling == "average" else ops.max
            return pool(inputs, axis=1)
        steps = ops.cast(mask[..., None], inputs.dtype)
        kept = ops.where(mask[..., None], inputs, ops.zeros_like(inputs))
        if self.pooling == "average":
            # In float32: half precision counts exactly up to 256 or 2048 only.
            count = ops.sum(ops.cast(steps, "float32"), axis=1)
            total = ops.sum(ops.cast(kept, "float32"), axis=1)
            mean = total / ops.maximum(count, 1.0)
            return ops.cast(mean, inputs.dtype)
        lowest = ops.min(inputs, axis=1, keepdims=True)
        highest = ops.max(ops.where(mask[..., None], inputs, lowest), axis=1)
        return highest * ops.max(steps, axis=1)

    def compute_mask(self, inputs, mask=None):
        """Returns `None`, because the output has no steps."""
        return None

    def compute_output_shape(self, input_shape) -> tuple:
        """Returns the shape of the output."""
        return (input_shape[0], *input_shape[2:])

    def get_config(self):
        return {**super().get_config(), "pooling": self.pooling}
