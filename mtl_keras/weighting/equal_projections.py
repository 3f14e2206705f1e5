"""Finds a vector with equal projections onto all task gradients."""

from __future__ import annotations

import tensorflow as tf

from mtl_keras.weighting.gramian import COSINE_EPSILON, Gramian


def equal_projections(gramian: Gramian):
    """Solves `C p = 1` for the cosines `C`, by their pseudo-inverse.

    The vector `sum(p_i g_i / |g_i|)` has the same inner product with each
    `g_i / |g_i|`, or as nearly as possible if no such vector exists.

    Args:
        gramian: A `Gramian`.

    Returns:
        `p`, of shape `(tasks,)`: 0 for a task that is not labelled, and for
        all tasks if the gradients can only cancel each other out.
    """
    values, vectors = tf.linalg.eigh(gramian.cosines)
    kept = values > values.shape[0] * COSINE_EPSILON
    inverse = tf.where(kept, 1.0 / tf.where(kept, values, 1.0), 0.0)
    along = tf.linalg.matvec(vectors, gramian.mask, transpose_a=True)
    solution = tf.linalg.matvec(vectors, inverse * along) * gramian.mask
    # Rounding mixes dropped eigenvectors into the kept ones.
    cancels = tf.reduce_sum(solution) <= values.shape[0] * COSINE_EPSILON
    return tf.where(cancels, tf.zeros_like(solution), solution)
