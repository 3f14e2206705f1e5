"""The mixture that is equally long along all task gradients."""

from __future__ import annotations

import tensorflow as tf

from mtl_keras.weighting.gramian import NOISE, Gramian


def equal_projections(gramian: Gramian):
    """Solves `C p = 1` for the cosines `C`, by their pseudo-inverse.

    The mixture `sum(p_i g_i / |g_i|)` has the same inner product with each
    `g_i / |g_i|`; where no mixture has, it is as near as possible to it.

    Args:
        gramian: A `Gramian`.

    Returns:
        `p`, of shape `(tasks,)`; 0 where a task is not labelled, and 0 for all
        tasks where the gradients can only cancel each other out.
    """
    values, vectors = tf.linalg.eigh(gramian.cosines)
    kept = values > values.shape[0] * NOISE
    inverse = tf.where(kept, 1.0 / tf.where(kept, values, 1.0), 0.0)
    along = tf.linalg.matvec(vectors, gramian.mask, transpose_a=True)
    solution = tf.linalg.matvec(vectors, inverse * along) * gramian.mask
    # The eigenvectors that were kept know the rest to the root of the noise.
    cancels = tf.reduce_sum(solution) <= values.shape[0] * NOISE
    return tf.where(cancels, tf.zeros_like(solution), solution)
