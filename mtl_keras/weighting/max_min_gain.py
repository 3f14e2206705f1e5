"""Maximizes the smallest gain of all tasks near the mean gradient."""

from __future__ import annotations

import tensorflow as tf

from mtl_keras.weighting.gramian import COSINE_EPSILON, Gramian
from mtl_keras.weighting.nonnegative_qp import (
    solve_free,
    solve_nonnegative_qp,
)

_MAX_ITERATIONS = 64
# Tolerance of the squared length, relative to the squared radius.
_TOLERANCE = 1e-9


def max_min_gain(gramian: Gramian, cosines, radius: float):
    """Maximizes the smallest `g_i d` over `|d - g_0| <= r |g_0|`.

    For a smallest gain `m`, the shortest `p = (d - g_0) / |g_0|` is a
    combination `sum(y_i g_i / |g_i|)` with `y >= 0`. `y` is piecewise linear in
    `m`, and the length of `p` is convex in `m`. The search for the `m` with
    length `r` starts at an upper bound. From a guess that is too high, it steps
    to the root of the current linear piece. If that root is out of bounds, or
    the guess is too low, it steps to the lowest root of the tangents so far,
    which is an upper bound of the solution. At least every second step is
    therefore as good as one of Newton's method, which converges for losses in
    any units and for dependent gradients.

    Args:
        gramian: A `Gramian`.
        cosines: Cosines of each gradient with `g_0`, of shape `(tasks,)`.
        radius: `r`, 0 or more.

    Returns:
        `y`, of shape `(tasks,)`; 0 where a task is not labelled.
    """
    matrix = gramian.regularized_cosines
    # `m` is in units of |g_0| and the smallest norm.
    one = tf.ones((), tf.float64)
    smallest = tf.reduce_min(tf.where(gramian.labelled, gramian.norms, one))
    shares = smallest / gramian.norms
    # No `p` of length `r` gains more for any task. In the regularized matrix,
    # normalized gradients are slightly longer than 1.
    bounds = (cosines + radius * (1.0 + COSINE_EPSILON)) / shares
    infinity = tf.constant(float("inf"), tf.float64)
    highest = tf.reduce_min(tf.where(gramian.labelled, bounds, infinity))
    highest = tf.where(tf.math.is_finite(highest), highest, 0.0)
    # A constraint below `-r` is inactive for `p` of length `r`.
    lowest = -2.0 * radius

    def unfinished(iteration, low, high, gain, y, free, done):
        return (iteration < _MAX_ITERATIONS) & tf.logical_not(done)

    def improve(iteration, low, high, gain, y, free, done):
        wanted = gain * shares - cosines
        active = gramian.labelled & (wanted > lowest)
        wanted = tf.where(active, wanted, lowest)
        slope = tf.where(active, shares, 0.0 * one)
        y = solve_nonnegative_qp(matrix, wanted[None], free[None])[0]
        free = y > 0
        square = _product(matrix, y, y)
        length = tf.sqrt(square)
        low = tf.where(length <= radius, tf.maximum(low, gain), low)
        rise = tf.reduce_sum(y * slope)
        tangent = gain + (radius - length) * length / rise
        high = tf.where(rise > 0, tf.minimum(high, tangent), high)
        direction = solve_free(matrix, slope[None], free[None])[0]
        root = gain + _root(matrix, y, direction, radius)
        # From below, the piece may be wrong and its root hardly a step ahead.
        inside = (length > radius) & (root > low) & (root < high)
        following = tf.where(inside, root, high)
        # The last guess is as near as rounding allows.
        near = tf.abs(square - radius**2) <= _TOLERANCE * radius**2
        done = near | (following <= low)
        return iteration + 1, low, high, following, y, free, done

    state = (tf.constant(0), -infinity, highest, highest)
    start = (tf.zeros_like(shares), gramian.labelled, tf.constant(False))
    found = tf.while_loop(unfinished, improve, (*state, *start))
    return found[4] * gramian.mask


def _product(matrix, one, other):
    return tf.reduce_sum(one * tf.linalg.matvec(matrix, other))


def _root(matrix, y, direction, radius):
    """Returns the gain by which `y + gain * direction` has length `radius`."""
    missing = radius**2 - _product(matrix, y, y)
    half = _product(matrix, y, direction)
    square = _product(matrix, direction, direction)
    root = tf.sqrt(tf.nn.relu(half**2 + square * missing))
    return tf.math.divide_no_nan(missing, half + root)
