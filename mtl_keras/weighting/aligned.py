"""Makes task gradients orthogonal and equally long."""

from __future__ import annotations

import keras
import tensorflow as tf

from mtl_keras.weighting.gramian import COSINE_EPSILON, Gramian
from mtl_keras.weighting.gramian_weighting import GramianWeighting


@keras.saving.register_keras_serializable("mtl_keras")
class AlignedMTL(GramianWeighting):
    """Makes the principal components of the task gradients equally long.

    With `G = V diag(l) V^T`, the weights are
    `sqrt(min(l)) V diag(l)^(-1/2) V^T 1`, over the nonzero eigenvalues `l`. The
    update is the sum of orthogonal gradients, which are the closest ones to the
    task gradients and as long as the shortest component. Weights may be
    negative.

    The rank of `G` is that of the cosines of the gradients, so that a short
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
        labelled = gramian.mask
        size = labelled.shape[0]
        both = labelled * labelled[:, None]
        values, vectors = tf.linalg.eigh(gramian.cosines * both)
        rank = tf.math.count_nonzero(
            values > size * COSINE_EPSILON, dtype=tf.int32
        )
        # G = F F^T. Singular values of F stay precise where the lengths of the
        # gradients differ a lot; eigenvalues of G do not.
        factor = gramian.norms[:, None] * vectors * tf.sqrt(tf.nn.relu(values))
        roots, vectors, _ = tf.linalg.svd(factor)
        kept = (tf.range(size) < rank) & (roots > 0)
        ones = tf.ones_like(roots)
        smallest = tf.reduce_min(tf.where(kept, roots, roots[0]))
        scales = smallest / tf.where(kept, roots, ones)
        scales = tf.where(kept, scales, tf.zeros_like(scales))
        along = tf.linalg.matvec(vectors, labelled, transpose_a=True)
        return tf.linalg.matvec(vectors, scales * along)
