"""Minimizes the geometric mean of the losses."""

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
    """Combines the losses by their geometric mean (geometric loss strategy).

    The combined loss is `exp(mean(log L_i))` over the `n` tasks with labels.
    The weights are `exp(mean(log L)) / (n L_i)`, so that the units of losses do
    not matter.

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
        # A product would under- or overflow. An absent task counts as 1, with a
        # logarithm of 0.
        total = tf.reduce_sum(tf.math.log(fill_absent(losses)))
        mean = tf.exp(total / count_present(losses))
        return tf.where(tf.reduce_any(is_present(losses)), mean, 0.0)
