"""Factorizes a Gramian of gradients that may depend on each other."""

from __future__ import annotations

import tensorflow as tf

from mtl_keras.weighting.gramian import COSINE_EPSILON, Gramian


def pivoted_cholesky(gramian: Gramian):
    """Factorizes `G` into `F F^T` and finds its rank.

    Each pivot is the gradient with the longest residual, which is its part
    orthogonal to the previous pivots. A gradient depends on the pivots if its
    residual is within its rounding error. The error is relative to the length
    of the gradient, so that a short gradient counts as much as a long one. A
    long gradient that depends on other long ones leaves no rounding error in
    the column of a shorter one, where it would exceed the short gradient.

    Args:
        gramian: A `Gramian`.

    Returns:
        A tuple `(F, pivots)`: `F` in float64, of shape `(tasks, tasks)`, with a
        column for each pivot and zeros elsewhere, and the pivots as booleans of
        shape `(tasks,)`. Their number is the rank. Rows and columns are 0 where
        a task is not labelled.

    Reference:
        Higham, "Analysis of the Cholesky Decomposition of a Semi-definite
        Matrix", Reliable Numerical Computation, 1990.
    """
    labelled, norms = gramian.labelled, gramian.norms
    size = norms.shape[0]
    tolerance = size * COSINE_EPSILON
    both = labelled & labelled[:, None]
    zeros = tf.zeros((size, size), tf.float64)

    def unfinished(columns, products, combinations, pivots, candidates):
        return tf.reduce_any(candidates)

    def eliminate(columns, products, combinations, pivots, candidates):
        residuals = norms**2 * tf.linalg.diag_part(products)
        pivot = tf.argmax(tf.where(candidates, residuals, -1.0 * norms))
        is_pivot = tf.range(size, dtype=pivot.dtype) == pivot
        length = tf.sqrt(products[pivot, pivot])
        column = products[:, pivot] / length
        # Rounding errors of dependent gradients are not components.
        errors = tolerance * tf.norm(combinations, axis=1)
        error = errors * tf.norm(combinations[pivot]) / length
        kept = candidates | (tf.abs(column) > error)
        column = tf.where(kept & ~pivots, column, 0.0 * column)
        added = tf.cast(is_pivot, tf.float64) * column[:, None]
        products = products - column * column[:, None]
        steps = tf.where(is_pivot, 0.0 * column, column / length)
        combinations = combinations - steps[:, None] * combinations[pivot]
        pivots = pivots | is_pivot
        candidates = candidates & ~is_pivot
        candidates &= _independent(products, combinations, tolerance)
        return columns + added, products, combinations, pivots, candidates

    # Inner products of the residuals of the normalized gradients, and the
    # combinations of these gradients that the residuals are.
    products = tf.where(both, gramian.cosines, zeros)
    combinations = tf.eye(size, dtype=tf.float64)
    state = (zeros, products, combinations, tf.zeros_like(labelled), labelled)
    columns, _, _, pivots, _ = tf.while_loop(unfinished, eliminate, state)
    return norms[:, None] * columns, pivots


def _independent(products, combinations, tolerance):
    """Checks residuals against the errors of their combinations."""
    errors = tolerance * tf.reduce_sum(combinations**2, axis=1)
    return tf.linalg.diag_part(products) > errors
