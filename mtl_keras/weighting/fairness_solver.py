"""Solves for weights that share the gains fairly between tasks."""

from __future__ import annotations

import tensorflow as tf

_ITERATIONS = 80
_ERROR = 1e-10
# Below this error, the full Newton step is taken.
_NEWTON_ERROR = 0.2
# Largest part of the distance to the boundary that a step covers.
_BOUNDARY_FRACTION = 0.99


def solve_fairness(matrix, shares, power: float):
    """Solves `A x = q x^(-p)` for `x > 0`.

    The solution is the minimum of a convex function:
    `1/2 x^T A x - sum(q log x)` for `p = 1`, and otherwise
    `1/2 x^T A x - sum(q x^(1-p)) / (1-p)`. Newton's method finds it within a
    fixed number of iterations. Each iteration evaluates several step lengths at
    once and takes the best one.

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
        # Keeps x positive.
        steepest = tf.maximum(tf.reduce_max(-step / x), 1e-30)
        max_length = _BOUNDARY_FRACTION / steepest
        candidates = x + tf.minimum(lengths, max_length)[:, None] * step
        values = _objective(matrix, shares, power, candidates)
        best = tf.gather(candidates, tf.argmin(values))
        newton = x + tf.minimum(max_length, 1.0) * step
        return iteration + 1, tf.where(error(x) < _NEWTON_ERROR, newton, best)

    start = _initial_point(matrix, shares, power)
    return tf.while_loop(unfinished, improve, (tf.constant(0), start))[1]


def _initial_point(matrix, shares, power):
    """Returns the best multiple of the solution for a diagonal matrix."""
    x = (shares / tf.linalg.diag_part(matrix)) ** (1.0 / (1.0 + power))
    square = tf.reduce_sum(x * tf.linalg.matvec(matrix, x))
    gain = tf.reduce_sum(shares * x ** (1.0 - power))
    return x * (gain / square) ** (1.0 / (1.0 + power))


def _objective(matrix, shares, power, rows):
    """Computes the convex function for each row."""
    if power == 1.0:
        gains = shares * tf.math.log(rows)
    else:
        gains = shares * rows ** (1.0 - power) / (1.0 - power)
    squares = tf.reduce_sum(rows * (rows @ matrix), axis=1)
    return 0.5 * squares - tf.reduce_sum(gains, axis=1)
