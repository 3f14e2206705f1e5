"""Where each task's gain is in fair proportion to its weight."""

from __future__ import annotations

import tensorflow as tf

_ITERATIONS = 80
_ERROR = 1e-10
# From here on Newton's own step is the best one.
_NEAR = 0.2
# How far of the way to the border a step goes.
_SHARE = 0.99


def solve_fairness(matrix, shares, power: float):
    """Solves `A x = q x^(-p)` for `x > 0`.

    It is the minimum of a convex function, `1/2 x^T A x - sum(q log x)` for
    `p = 1` and `1/2 x^T A x - sum(q x^(1-p)) / (1-p)` else, which Newton's
    method finds in a fixed number of iterations at most. Each searches the best
    of several step lengths, all tried at once.

    Args:
        matrix: `A`, positive definite, of shape `(n, n)`, in float64.
        shares: `q`, positive, of shape `(n,)`.
        power: `p`, greater than 0.

    Returns:
        `x`, of shape `(n,)`.
    """
    lengths = tf.constant([4.0**-k for k in range(-2, 9)], tf.float64)

    def error(x):
        return tf.norm(tf.linalg.matvec(matrix, x) / (shares * x**-power) - 1.0)

    def unfinished(iteration, x):
        return (iteration < _ITERATIONS) & (error(x) > _ERROR)

    def improve(iteration, x):
        pull = shares * x**-power
        gradient = tf.linalg.matvec(matrix, x) - pull
        factor = tf.linalg.cholesky(matrix + tf.linalg.diag(power * pull / x))
        step = -tf.linalg.cholesky_solve(factor, gradient[:, None])[:, 0]
        # Most, so that x stays positive.
        most = _SHARE / tf.maximum(tf.reduce_max(-step / x), 1e-30)
        tried = x + tf.minimum(lengths, most)[:, None] * step
        values = _values(matrix, shares, power, tried)
        best = tf.gather(tried, tf.argmin(values))
        near = x + tf.minimum(most, 1.0) * step
        return iteration + 1, tf.where(error(x) < _NEAR, near, best)

    start = _start(matrix, shares, power)
    return tf.while_loop(unfinished, improve, (tf.constant(0), start))[1]


def _start(matrix, shares, power):
    """The best multiple of the solution for a diagonal matrix."""
    x = (shares / tf.linalg.diag_part(matrix)) ** (1.0 / (1.0 + power))
    square = tf.reduce_sum(x * tf.linalg.matvec(matrix, x))
    gain = tf.reduce_sum(shares * x ** (1.0 - power))
    return x * (gain / square) ** (1.0 / (1.0 + power))


def _values(matrix, shares, power, rows):
    """The convex function, for each row."""
    if power == 1.0:
        gains = shares * tf.math.log(rows)
    else:
        gains = shares * rows ** (1.0 - power) / (1.0 - power)
    squares = tf.reduce_sum(rows * (rows @ matrix), axis=1)
    return 0.5 * squares - tf.reduce_sum(gains, axis=1)
