"""Batch normalization over the steps of all replicas."""

from __future__ import annotations

import keras
from keras import ops


@keras.saving.register_keras_serializable("mtl_keras")
class SynchronizedBatchNormalization(keras.layers.BatchNormalization):
    """Keras's `BatchNormalization`, synchronized behind a mask as well.

    With `synchronized=True` Keras's layer takes its statistics over the
    samples of all replicas, but where it receives a mask only over those of
    its own. This one takes them over what is not masked on any replica.

    Args:
        **kwargs: Those of `keras.layers.BatchNormalization` but for
            `synchronized`, which is `True`, and `axis`, which is the last.
    """

    def __init__(self, **kwargs):
        super().__init__(**{**kwargs, "synchronized": True, "axis": -1})

    # Keras has no hook for the statistics; a test sees whether it still asks
    # this method for them.
    def _moments(self, inputs, mask):
        if mask is None:
            return super()._moments(inputs, None)
        is_kept = ops.cast(mask, inputs.dtype)[..., None]
        # Means over kept and masked together are those over the kept, times
        # the share of the kept.
        axes = list(range(len(inputs.shape) - 1))
        share, _ = ops.moments(is_kept, axes, synchronized=True)
        share = ops.maximum(share, keras.config.epsilon())
        kept = ops.where(is_kept > 0, inputs, ops.zeros_like(inputs))
        mean, variance = ops.moments(kept, axes, synchronized=True)
        mean_of_squares = (variance + ops.square(mean)) / share
        mean = mean / share
        return mean, ops.maximum(mean_of_squares - ops.square(mean), 0.0)
