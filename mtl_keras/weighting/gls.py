"""The geometric mean of the losses."""

from __future__ import annotations

import keras
import tensorflow as tf

from mtl_keras.weighting.present_tasks import (
    count_present,
    fill_absent,
    is_present,
)
from mtl_keras.weighting.weighting import Weighting


@keras.saving.register_keras_serializable("mtl_keras")
class GLS(Weighting):
    """Descends along the geometric mean (geometric loss strategy).

    The combined loss is `exp(mean(log L_i))` over the tasks that have labels,
    which makes the weights `exp(mean(log L)) / (n L_i)`: a task whose loss is
    measured in other units gets the same say.

    Args:
        name: Name of the weighting.

    Reference:
        Chennupati et al., "MultiNet++: Multi-Stream Feature Aggregation and
        Geometric Loss Strategy for Multi-Task Learning", CVPR Workshops 2019.

    Example:

    >>> weighting = mtl_keras.weighting.GLS()
    >>> weighting.build(["left", "right"])
    >>> round(float(weighting.combine(np.array([1.0, 4.0], "float32"))), 4)
    2.0
    """

    positive_losses = True

    def combine(self, losses):
        """Takes the geometric mean. See `Weighting.combine`."""
        # Not the root of a product, which would under- or overflow. An absent
        # task is filled with 1, whose logarithm adds nothing.
        total = tf.reduce_sum(tf.math.log(fill_absent(losses)))
        mean = tf.exp(total / count_present(losses))
        return tf.where(tf.reduce_any(is_present(losses)), mean, 0.0)
