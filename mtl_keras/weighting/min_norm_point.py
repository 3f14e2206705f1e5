"""The shortest vector in the convex hull of the task gradients."""

from __future__ import annotations

import tensorflow as tf

from mtl_keras.weighting.gramian import Gramian
from mtl_keras.weighting.nonnegative_minimum import nonnegative_minimum


def min_norm_point(gramian: Gramian):
    """Minimizes `w^T G w` over `w >= 0` with `sum(w) = 1`.

    Args:
        gramian: A `Gramian`.

    Returns:
        `w`, of shape `(tasks,)`; 0 where a task is not labelled.
    """
    # Over u >= 0, u^T G u + t (1^T u - 1)^2 is least along the same ray, for
    # any t > 0. Written for z = D u, and t the least of the squared norms.
    labelled = gramian.mask
    least = tf.reduce_min(tf.where(gramian.labelled, gramian.norms, 1.0))
    inverse = labelled * least / gramian.norms
    matrix = gramian.lifted_cosines + inverse * inverse[:, None]
    # Less than nothing to gain where there are no labels.
    linear = inverse - (1.0 - labelled)
    z = nonnegative_minimum(matrix, linear[None])[0]
    weights = z * inverse
    return tf.math.divide_no_nan(weights, tf.reduce_sum(weights))
