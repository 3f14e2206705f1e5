"""Batch normalization over the unmasked steps of all replicas."""

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
        **kwargs: Those of `keras.layers.BatchNormalization`. `synchronized`
            can only be `True` (default), and `axis` only the last (default).

    Raises:
        ValueError: If `synchronized` is `False` or `axis` another one.

    Example:

    >>> x = np.array([[[1.0], [3.0], [50.0]]])
    >>> layer = SynchronizedBatchNormalization(momentum=0.0)
    >>> mask = np.array([[True, True, False]])
    >>> y = layer(x, mask=mask, training=True)
    >>> layer.moving_mean.numpy().round(3).tolist()
    [2.0]

    Reference:
        Ioffe and Szegedy, "Batch Normalization: Accelerating Deep Network
        Training by Reducing Internal Covariate Shift", ICML 2015.
    """

    def __init__(self, *, synchronized: bool = True, axis: int = -1, **kwargs):
        if not synchronized or axis != -1:
            raise ValueError(
                "SynchronizedBatchNormalization takes synchronized=True and "
                f"axis=-1, not synchronized={synchronized!r} and axis={axis!r}"
                ". Use keras.layers.BatchNormalization for the others."
            )
        super().__init__(synchronized=True, axis=-1, **kwargs)

    # Keras has no hook for the statistics; a test sees whether it still asks
    # this method for them.
    def _moments(self, inputs, mask):
        if mask is None:
            return super()._moments(inputs, None)
        is_kept = ops.cast(mask, inputs.dtype)[..., None]
        kept = ops.where(is_kept > 0, inputs, ops.zeros_like(inputs))
        # The mask is one more channel, so that it is summed with the others.
        # Its mean is the share of what is kept; means over kept and masked
        # together are those over the kept, times that share.
        mean, variance = ops.moments(
            ops.concatenate([kept, is_kept], axis=-1),
            list(range(len(inputs.shape) - 1)),
            synchronized=True,
        )
        squares = variance + ops.square(mean)
        share = ops.maximum(mean[-1], keras.config.epsilon())
        mean = mean[:-1] / share
        variance = squares[:-1] / share - ops.square(mean)
        return mean, ops.maximum(variance, 0.0)
