"""The least value of a quadratic form where no coordinate is negative."""

from __future__ import annotations

import tensorflow as tf

# What pivoting takes for 0, where the diagonal and the largest `b` are 1.
_ZERO = 1e-11
_PIVOTS = 16
# Exchanges of all at once, without progress, before one at a time.
_PATIENCE = 3
_ITERATIONS = 40
_GAP = 1e-14
# How far of the way to the border a step goes.
_SHARE = 0.995


def nonnegative_minimum(matrix, linear, free=None):
    """Minimizes `1/2 x^T A x - b^T x` over `x >= 0`.

    By a closed form for two coordinates; for more, by block principal
    pivoting, which guesses the coordinates that are not 0, solves for them and
    mends the guess, mostly in a handful of turns. What is not done after a
    fixed number of turns is done by a primal-dual interior point method
    (Mehrotra's predictor and corrector), in a fixed number at most. The order
    of the coordinates plays no role.

    Args:
        matrix: `A`, positive definite, of shape `(n, n)`, in float64.
        linear: Several `b`, of shape `(batch, n)`, in float64.
        free: Booleans of the shape of `linear`: a guess of which coordinates
            are not 0, to begin with. Defaults to where `b` is positive.

    Returns:
        The minima, of shape `(batch, n)`.

    Reference:
        Júdice and Pires, "A block principal pivoting algorithm for large-scale
        strictly monotone linear complementarity problems", Computers and
        Operations Research 21, 1994.
    """
    roots = tf.sqrt(tf.linalg.diag_part(matrix))
    matrix = matrix / roots / roots[:, None]
    linear = linear / roots
    size = tf.reduce_max(tf.abs(linear), axis=-1, keepdims=True)
    size = tf.where(size > 0, size, tf.ones_like(size))
    linear = linear / size
    if linear.shape[-1] == 2:
        return _of_two(matrix, linear) / roots * size
    free = linear > 0 if free is None else free
    return _of_many(matrix, linear, free) / roots * size


def solve_free(matrix, linear, free):
    """Solves `A x = b` where some coordinates are not 0.

    Args:
        matrix: `A`, positive definite, of shape `(n, n)`.
        linear: Several `b`, of shape `(batch, n)`.
        free: Booleans of that shape: the coordinates that are not 0, whose
            equations hold.

    Returns:
        Tensor of that shape.
    """
    both = free[:, :, None] & free[:, None, :]
    inside = tf.where(both, matrix, tf.zeros_like(matrix))
    fixed = tf.cast(tf.logical_not(free), linear.dtype)
    factor = tf.linalg.cholesky(inside + tf.linalg.diag(fixed))
    return _solve(factor, tf.where(free, linear, tf.zeros_like(linear)))


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


def _of_many(matrix, linear, free):
    """Pivoting, and an interior point method for what it leaves open."""
    x, done = _by_pivoting(matrix, linear, free)
    return tf.cond(
        tf.reduce_all(done),
        lambda: x,
        lambda: tf.where(done[:, None], x, _by_interior_point(matrix, linear)),
    )


def _by_pivoting(matrix, linear, free):
    """Minima, and booleans of shape `(batch,)`: whether they are found."""
    size = linear.shape[-1]
    indices = tf.range(size)

    def solve(free):
        x = solve_free(matrix, linear, free)
        # A free coordinate must not be negative, nor the slope of another.
        return x, tf.where(free, x, x @ matrix - linear) < -_ZERO

    def unfinished(turn, free, x, wrong, fewest, patience):
        return (turn < _PIVOTS) & tf.reduce_any(wrong)

    def pivot(turn, free, x, wrong, fewest, patience):
        count = tf.reduce_sum(tf.cast(wrong, tf.int32), axis=-1)
        better = count < fewest
        patience = tf.where(better, _PATIENCE, patience - 1)
        last = tf.reduce_max(tf.where(wrong, indices, -1), -1, keepdims=True)
        one = wrong & (indices == last)
        exchanged = tf.where((patience >= 0)[:, None], wrong, one)
        free = tf.math.logical_xor(free, exchanged)
        return (
            turn + 1,
            free,
            *solve(free),
            tf.minimum(fewest, count),
            patience,
        )

    counts = tf.zeros_like(linear[:, 0], tf.int32)
    state = (tf.constant(0), free, *solve(free), counts + size + 1, counts)
    _, _, x, wrong, _, _ = tf.while_loop(unfinished, pivot, state)
    return tf.nn.relu(x), tf.logical_not(tf.reduce_any(wrong, axis=-1))


def _by_interior_point(matrix, linear):
    """Takes steps towards the minima from inside."""

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
