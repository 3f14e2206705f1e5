"""The vector near the mean gradient that gains most for the worst task."""

from __future__ import annotations

import numpy as np
import tensorflow as tf

from mtl_keras.weighting.gramian import Gramian
from mtl_keras.weighting.nonnegative_minimum import nonnegative_minimum

_ROUNDS = 3
# From 0 to 1, and denser at both ends.
_GRID = np.sin(np.linspace(0.0, np.pi / 2.0, 16)) ** 2


def best_worst_gain(gramian: Gramian, cosines, radius: float):
    """Maximizes the smallest `g_i d` over `|d - g_0| <= r |g_0|`.

    The shortest way from `g_0` to where all `g_i d` are `m` or more is a
    mixture `sum(y_i g_i / |g_i|)` with `y >= 0`, which is piecewise linear in
    `m`. The `m` at which it is `r |g_0|` long is enclosed by several at once,
    a few times over; in between, `y` is a straight line.

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

    def enclose(turn, low, high, _):
        gains = low + (high - low) * _GRID
        wanted = gains[:, None] * shares - cosines
        # Without labels there is nothing to gain.
        wanted = tf.where(gramian.labelled, wanted, -one)
        found = nonnegative_minimum(matrix, wanted)
        reaches = _square(matrix, found) > radius**2
        # The first that is too long; the last, if rounding hides it.
        reaches = tf.concat([reaches[1:-1], [True]], axis=0)
        above = 1 + tf.argmax(tf.cast(reaches, tf.int32), output_type=tf.int32)
        ways = tf.gather(found, tf.stack([above - 1, above]))
        return turn + 1, gains[above - 1], gains[above], ways

    ways = tf.zeros((2, matrix.shape[0]), tf.float64)
    *_, ways = tf.while_loop(
        lambda turn, *_: turn < _ROUNDS,
        enclose,
        (tf.constant(0), low, high, ways),
    )
    return _cut(matrix, *tf.unstack(ways), radius) * gramian.mask


def _square(matrix, rows):
    return tf.reduce_sum(rows * (rows @ matrix), axis=-1)


def _cut(matrix, near, far, radius):
    """The point of a line that is as far away as the radius."""
    step = far - near
    product = tf.reduce_sum(tf.linalg.matvec(matrix, near) * step)
    left = tf.nn.relu(radius**2 - _square(matrix, near[None])[0])
    square = _square(matrix, step[None])[0]
    root = tf.sqrt(tf.nn.relu(product**2 + square * left))
    share = tf.math.divide_no_nan(left, product + root)
    return near + tf.clip_by_value(share, 0.0, 1.0) * step
