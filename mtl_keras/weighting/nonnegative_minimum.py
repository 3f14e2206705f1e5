"""The least value of a quadratic form where no coordinate is negative."""

from __future__ import annotations

import tensorflow as tf

_ITERATIONS = 40
_GAP = 1e-14
# How far of the way to the border a step goes.
_SHARE = 0.995


def nonnegative_minimum(matrix, linear):
    """Minimizes `1/2 x^T A x - b^T x` over `x >= 0`.

    By a closed form for two coordinates; for more, by a primal-dual interior
    point method (Mehrotra's predictor and corrector) in a fixed number of
    iterations at most. The order of the coordinates plays no role.

    Args:
        matrix: `A`, positive definite, of shape `(n, n)`, in float64.
        linear: Several `b`, of shape `(batch, n)`, in float64.

    Returns:
        The minima, of shape `(batch, n)`.
    """
    roots = tf.sqrt(tf.linalg.diag_part(matrix))
    matrix = matrix / roots / roots[:, None]
    linear = linear / roots
    size = tf.reduce_max(tf.abs(linear), axis=-1, keepdims=True)
    size = tf.where(size > 0, size, tf.ones_like(size))
    linear = linear / size
    solve = _of_two if linear.shape[-1] == 2 else _of_many
    return solve(matrix, linear) / roots * size


def _of_two(matrix, linear):
    """The closed form; the diagonal of the matrix is 1."""
    slope = matrix[0, 1]
    inside = linear - slope * linear[:, ::-1]
    # Else one coordinate is 0: the one that lowers the form less.
    positive = tf.nn.relu(linear)
    keep = positive >= positive[:, ::-1]
    border = tf.where(keep, positive, tf.zeros_like(positive))
    whole = tf.reduce_all(inside >= 0, axis=-1, keepdims=True)
    return tf.where(whole, inside / (1.0 - slope**2), border)


def _of_many(matrix, linear):
    """An interior point method."""

    def unfinished(iteration, x, slack):
        # Also those not yet feasible: their slack is not the gradient.
        residual = tf.reduce_max(tf.abs(x @ matrix - linear - slack))
        gap = tf.reduce_max(x * slack)
        return (iteration < _ITERATIONS) & ((gap > _GAP) | (residual > 1e-9))

    def improve(iteration, x, slack):
        return iteration + 1, *_improve(matrix, linear, x, slack)

    start = tf.ones_like(linear)
    state = (tf.constant(0), start, start)
    return tf.while_loop(unfinished, improve, state)[1]


def _improve(matrix, linear, x, slack):
    """One step towards `A x - b = s` and `x s = 0`, with `x, s > 0`."""
    gap = tf.reduce_mean(x * slack, axis=-1, keepdims=True)
    residual = x @ matrix - linear - slack
    ratio = slack / x
    factor = tf.linalg.cholesky(matrix + tf.linalg.diag(ratio))

    def direction(target):
        # Solves A dx - ds = -residual and s dx + x ds = x target.
        dx = _solve(factor, target - residual)
        return dx, target - ratio * dx

    dx, ds = direction(-slack)
    length = _step_length(x, slack, dx, ds)
    ahead = (x + length * dx) * (slack + length * ds)
    left = tf.reduce_mean(ahead, axis=-1, keepdims=True)
    center = (left / gap) ** 3 * gap
    dx, ds = direction((center - dx * ds) / x - slack)
    # Frozen when done, because the ratio of slack to x would overflow.
    length = tf.where(gap > 1e-2 * _GAP, _step_length(x, slack, dx, ds), 0.0)
    return x + length * dx, slack + length * ds


def _solve(factor, vectors):
    return tf.linalg.cholesky_solve(factor, vectors[..., None])[..., 0]


def _step_length(x, slack, dx, ds):
    """The longest step, 1 at most, that stays inside."""
    shrinking = tf.minimum(dx / x, ds / slack)
    steepest = tf.reduce_min(shrinking, axis=-1, keepdims=True)
    return tf.minimum(_SHARE / tf.maximum(-steepest, 1e-30), 1.0)
