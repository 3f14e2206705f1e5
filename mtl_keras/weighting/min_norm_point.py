"""Finds the shortest vector in the convex hull of the task gradients."""

from __future__ import annotations

import tensorflow as tf

from mtl_keras.weighting.gramian import Gramian
from mtl_keras.weighting.nonnegative_qp import solve_nonnegative_qp


def min_norm_point(gramian: Gramian):
    """Minimizes `w^T G w` over `w >= 0` with `sum(w) = 1`.

    Args:
        gramian: A `Gramian`.

    Returns:
        `w`, of shape `(tasks,)`; 0 where a task is not labelled.
    """
    # For any t > 0, u^T G u + t (1^T u - 1)^2 over u >= 0 has its minimum on
    # the same ray. In terms of z = D u, with t the smallest squared norm:
    labelled = gramian.mask
    smallest = tf.reduce_min(tf.where(gramian.labelled, gramian.norms, 1.0))
    inverse = labelled * smallest / gramian.norms
    matrix = gramian.regularized_cosines + inverse * inverse[:, None]
    # The negative sign keeps z at 0 for tasks without labels.
    linear = inverse - (1.0 - labelled)
    z = solve_nonnegative_qp(matrix, linear[None])[0]
    weights = z * inverse
    return tf.math.divide_no_nan(weights, tf.reduce_sum(weights))
