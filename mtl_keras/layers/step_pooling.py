"""One vector for a sequence, of the steps that are no padding."""

from __future__ import annotations

import keras
from keras import ops

POOLINGS = ("average", "max")


@keras.saving.register_keras_serializable("mtl_keras")
class StepPooling(keras.layers.Layer):
    """Average or maximum over the steps of a sequence that are not masked.

    Unlike Keras's `GlobalAveragePooling1D`, a sequence whose steps are all
    masked gives zeros, not NaN, and there is a maximum that knows of masks.

    Args:
        pooling: `"average"` (default) or `"max"`.
        **kwargs: See `keras.layers.Layer`.

    Raises:
        ValueError: If `pooling` is neither.

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
            # Counted in float32: half precision is exact to 256 or 2048.
            count = ops.sum(ops.cast(steps, "float32"), axis=1)
            total = ops.sum(ops.cast(kept, "float32"), axis=1)
            mean = total / ops.maximum(count, 1.0)
            return ops.cast(mean, inputs.dtype)
        lowest = ops.min(inputs, axis=1, keepdims=True)
        highest = ops.max(ops.where(mask[..., None], inputs, lowest), axis=1)
        return highest * ops.max(steps, axis=1)

    def compute_mask(self, inputs, mask=None):
        """The output has no steps, so it has no mask."""
        return None

    def compute_output_shape(self, input_shape) -> tuple:
        """Shape of the output: without the steps."""
        return (input_shape[0], *input_shape[2:])

    def get_config(self):
        return {**super().get_config(), "pooling": self.pooling}
