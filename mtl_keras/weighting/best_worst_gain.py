"""The vector near the mean gradient that gains most for the worst task."""

from __future__ import annotations

import numpy as np
import tensorflow as tf

from mtl_keras.weighting.gramian import Gramian
from mtl_keras.weighting.nonnegative_minimum import (
    nonnegative_minimum,
    solve_for,
)

_TURNS = 16
# How near the length comes to the radius, relative to its square.
_NEAR = 1e-9


def best_worst_gain(gramian: Gramian, cosines, radius: float):
    """Maximizes the smallest `g_i d` over `|d - g_0| <= r |g_0|`.

    The shortest way from `g_0` to where all `g_i d` are `m` or more is a
    mixture `sum(y_i g_i / |g_i|)` with `y >= 0`, which is piecewise linear in
    `m`. At some `m` it is `r |g_0|` long: each guess is where the straight
    line through the last one gets there, and bounds on `m` close in on it.

    Args:
        gramian: A `Gramian`.
        cosines: Those of each gradient and `g_0`, of shape `(tasks,)`.
        radius: `r`, greater than 0.

    Returns:
        `y / |g_0|`, of shape `(tasks,)`; 0 where a task is not labelled.
    """
    matrix = gramian.lifted_cosines
    # Gains are in units of |g_0| and of the least norm.
    one = tf.ones((), tf.float64)
    least = tf.reduce_min(tf.where(gramian.labelled, gramian.norms, one))
    shares = least / gramian.norms
    # At the lowest gain the way has no length, at the highest it is too long.
    far = tf.where(gramian.labelled, 0.0 * one, one / np.finfo(float).eps)
    low = tf.reduce_min(cosines / shares + far)
    high = tf.reduce_min((cosines + radius) / shares + far)

    def unfinished(turn, low, high, gain, way, free, near):
        return (turn < _TURNS) & tf.logical_not(near)

    def improve(turn, low, high, gain, way, free, near):
        # Without labels there is nothing to gain.
        wanted = tf.where(gramian.labelled, gain * shares - cosines, -one)
        found = nonnegative_minimum(matrix, wanted[None], free[None])[0]
        free = found > 0
        length = _product(matrix, found, found)
        near = tf.abs(length - radius**2) <= _NEAR * radius**2
        low = tf.where(length <= radius**2, gain, low)
        high = tf.where(length <= radius**2, high, gain)
        slope = solve_for(matrix, shares[None], free[None])[0]
        following = gain + _root(matrix, found, slope, radius)
        inside = (following > low) & (following < high)
        following = tf.where(inside, following, (low + high) / 2.0)
        # The last guess is as near as rounding lets it be.
        done = near | (following <= low) | (following >= high)
        return turn + 1, low, high, following, found, free, done

    way = tf.zeros_like(shares)
    state = (tf.constant(0), low, high, (low + high) / 2.0, way)
    start = (gramian.labelled, tf.constant(False))
    found = tf.while_loop(unfinished, improve, (*state, *start))
    return found[4] * gramian.mask


def _product(matrix, one, other):
    return tf.reduce_sum(one * tf.linalg.matvec(matrix, other))


def _root(matrix, way, slope, radius):
    """How far the gain goes on until `way + gain * slope` is long enough."""
    left = radius**2 - _product(matrix, way, way)
    half = _product(matrix, way, slope)
    square = _product(matrix, slope, slope)
    root = tf.sqrt(tf.nn.relu(half**2 + square * left))
    return tf.math.divide_no_nan(left, half + root)
