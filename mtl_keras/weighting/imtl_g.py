"""Weights task gradients for equal projections."""

from __future__ import annotations

import keras
import tensorflow as tf

from mtl_keras.weighting.equal_projections import equal_projections
from mtl_keras.weighting.gramian import Gramian
from mtl_keras.weighting.gramian_weighting import GramianWeighting


@keras.saving.register_keras_serializable("mtl_keras")
class IMTLG(GramianWeighting):
    """Gives the update equal projections onto all task gradients (IMTL-G).

    The update has the same inner product with each `g_i / |g_i|`, and its
    weights sum to 1: `w = v / sum(v)` with `G v = (|g_1|, ..., |g_K|)`, solved
    for normalized gradients by a pseudo-inverse. Weights may be negative, and
    get large if `sum(v)` is close to 0. If the gradients can only cancel each
    other out, the update is zero.

    Args:
        name: Name of the weighting.

    Reference:
        Liu et al., "Towards Impartial Multi-task Learning", ICLR 2021.

    Example:

    >>> gradients = np.array([[1.0, 0.0], [0.0, 3.0]])
    >>> weighting = mtl_keras.weighting.IMTLG()
    >>> weighting.build(["left", "right"])
    >>> weighting.weights(np.ones(2), gradients @ gradients.T).numpy().tolist()
    [0.75, 0.25]
    """

    def solve(self, losses, gramian: Gramian):
        weights = equal_projections(gramian) / gramian.norms
        return tf.math.divide_no_nan(weights, tf.reduce_sum(weights))
