"""Batch normalization over the unmasked timesteps of all replicas."""

from __future__ import annotations

import keras
from keras import ops


@keras.saving.register_keras_serializable("mtl_keras")
class SynchronizedBatchNormalization(keras.layers.BatchNormalization):
    """Batch normalization that synchronizes statistics also with a mask.

    `keras.layers.BatchNormalization(synchronized=True)` computes statistics
    over all replicas, but with a mask only over its own replica. This layer
    computes them over the unmasked timesteps of all replicas.

    Args:
        synchronized: Must be `True`. Defaults to `True`.
        axis: Must be -1. Defaults to -1.
        **kwargs: Arguments of `keras.layers.BatchNormalization`.

    Raises:
        ValueError: If `synchronized` or `axis` has another value.

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
                "SynchronizedBatchNormalization supports only "
                "synchronized=True and axis=-1; found "
                f"synchronized={synchronized!r} and axis={axis!r}. Use "
                "keras.layers.BatchNormalization instead."
            )
        super().__init__(synchronized=True, axis=-1, **kwargs)

    # Keras has no hook for the statistics; a test checks that Keras still
    # calls this method.
    def _moments(self, inputs, mask):
        if mask is None:
            return super()._moments(inputs, None)
        is_kept = ops.cast(mask, inputs.dtype)[..., None]
        kept = ops.where(is_kept > 0, inputs, ops.zeros_like(inputs))
        # The mask is an extra channel, so that one reduction sums it too. Its
        # mean is the unmasked fraction; the other means are the unmasked
        # means times this fraction.
        mean, variance = ops.moments(
            ops.concatenate([kept, is_kept], axis=-1),
            list(range(len(inputs.shape) - 1)),
            synchronized=True,
        )
        squares = variance + ops.square(mean)
        fraction = ops.maximum(mean[-1], keras.config.epsilon())
        mean = mean[:-1] / fraction
        variance = squares[:-1] / fraction - ops.square(mean)
        return mean, ops.maximum(variance, 0.0)
