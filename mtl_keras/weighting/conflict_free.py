"""Finds the direction at the same angle to all task gradients."""

from __future__ import annotations

import keras
import tensorflow as tf

from mtl_keras.weighting.equal_projections import equal_projections
from mtl_keras.weighting.gramian import Gramian
from mtl_keras.weighting.gramian_weighting import GramianWeighting


@keras.saving.register_keras_serializable("mtl_keras")
class ConflictFree(GramianWeighting):
    """Takes the direction of equal cosines with all task gradients (ConFIG).

    The direction is `u = v / |v|` with `v = U^T pinv(U U^T) 1`, where the rows
    of `U` are the normalized gradients. The update is `(sum(g_i u)) u`: its
    length is the sum of the projections of all gradients. Weights may be
    negative. If the gradients can only cancel each other out, the update is
    zero.

    Args:
        name: Name of the weighting.

    Reference:
        Liu et al., "ConFIG: Towards Conflict-free Training of Physics Informed
        Neural Networks", ICLR 2025.

    Example:

    >>> gradients = np.array([[1.0, 0.0], [0.0, 3.0]])
    >>> weighting = mtl_keras.weighting.ConflictFree()
    >>> weighting.build(["left", "right"])
    >>> weights = weighting.weights(np.ones(2), gradients @ gradients.T)
    >>> [round(float(weight), 4) for weight in weights]
    [2.0, 0.6667]
    """

    def solve(self, losses, gramian: Gramian):
        parts = equal_projections(gramian)
        along = tf.linalg.matvec(gramian.cosines, parts)
        reach = tf.reduce_sum(gramian.norms * gramian.mask * along)
        square = tf.reduce_sum(parts * along)
        scale = tf.math.divide_no_nan(reach, square)
        return scale * parts / gramian.norms
