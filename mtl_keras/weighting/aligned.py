"""Makes task gradients orthogonal and equally long."""

from __future__ import annotations

import keras
import tensorflow as tf

from mtl_keras.weighting.gramian import COSINE_EPSILON, Gramian
from mtl_keras.weighting.gramian_weighting import GramianWeighting
from mtl_keras.weighting.pivoted_cholesky import pivoted_cholesky


@keras.saving.register_keras_serializable("mtl_keras")
class AlignedMTL(GramianWeighting):
    """Makes the principal components of the task gradients equally long.

    With `G = V diag(l) V^T`, the weights are
    `sqrt(min(l)) V diag(l)^(-1/2) V^T 1`, over the nonzero eigenvalues `l`. The
    update is the sum of orthogonal gradients, which are the closest ones to the
    task gradients and as long as the shortest component. Weights may be
    negative.

    A component counts as zero by the cosines of the gradients, so that a short
    gradient counts as much as a long one.

    Args:
        name: Name of the weighting.

    Reference:
        Senushkin et al., "Independent Component Alignment for Multi-Task
        Learning", CVPR 2023.

    Example:

    >>> gradients = np.array([[1.0, 0.0], [0.0, 4.0]])
    >>> weighting = mtl_keras.weighting.AlignedMTL()
    >>> weighting.build(["left", "right"])
    >>> weights = weighting.weights(np.ones(2), gradients @ gradients.T)
    >>> weights.numpy().round(4).tolist()
    [1.0, 0.25]
    """

    def solve(self, losses, gramian: Gramian):
        # Singular values of a factor stay precise where the lengths of the
        # gradients differ a lot; eigenvalues of G do not.
        factor, pivots = pivoted_cholesky(gramian)
        rank = tf.math.count_nonzero(pivots, dtype=tf.int32)
        roots, vectors, _ = tf.linalg.svd(factor)
        kept = (tf.range(pivots.shape[0]) < rank) & (roots > 0)
        ones = tf.ones_like(roots)
        smallest = tf.reduce_min(tf.where(kept, roots, roots[0]))
        scales = smallest / tf.where(kept, roots, ones)
        scales = tf.where(kept, scales, tf.zeros_like(scales))
        along = tf.linalg.matvec(vectors, gramian.mask, transpose_a=True)
        # Where gradients cancel out, rounding depends on the order of tasks.
        along = tf.where(tf.abs(along) > COSINE_EPSILON, along, 0.0 * along)
        return tf.linalg.matvec(vectors, scales * along)
