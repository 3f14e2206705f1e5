"""Equal weights."""

from __future__ import annotations

import keras
import tensorflow as tf

from mtl_keras.weighting.present_tasks import weighted_sum
from mtl_keras.weighting.weighting import Weighting


@keras.saving.register_keras_serializable("mtl_keras")
class Equal(Weighting):
    """Sums the losses with equal weights.

    The combined loss is `sum(L_i)`, as in training without a weighting. It is
    the baseline for all other methods.

    Args:
        name: Name of the weighting.

    Example:

    >>> weighting = mtl_keras.weighting.Equal()
    >>> weighting.build(["left", "right"])
    >>> float(weighting.combine(np.array([1.0, 2.0], "float32")))
    3.0
    """

    def combine(self, losses):
        """Sums the losses. See `Weighting.combine`."""
        return weighted_sum(losses, tf.ones_like(losses))
