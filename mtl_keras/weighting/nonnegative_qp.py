"""Minimizes a quadratic function over non-negative coordinates."""

from __future__ import annotations

import tensorflow as tf

# Tolerance of pivoting, where the diagonal and the largest `b` are 1.
_ZERO = 1e-11
_MAX_PIVOTS = 16
# Block exchanges without progress before pivots are exchanged one at a time.
_PATIENCE = 3
_MAX_ITERATIONS = 40
_GAP = 1e-14
# Largest part of the distance to the boundary that a step covers.
_BOUNDARY_FRACTION = 0.995


def solve_nonnegative_qp(matrix, linear, free=None):
    """Minimizes `1/2 x^T A x - b^T x` over `x >= 0`.

    Two coordinates have a closed form. For more, block principal pivoting
    guesses which coordinates are free (not 0), solves for them and corrects the
    guess, usually within a few turns. If it has not converged after a fixed
    number of turns, a primal-dual interior point method (Mehrotra's predictor
    and corrector) takes over, for a fixed number of iterations at most. The
    result does not depend on the order of the coordinates.

    Args:
        matrix: `A`, positive definite, of shape `(n, n)`, in float64.
        linear: A batch of `b`, of shape `(batch, n)`, in float64.
        free: Booleans of the shape of `linear`: the first guess of the free
            coordinates. Defaults to those where `b` is positive.

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
        return _solve_two(matrix, linear) / roots * size
    free = linear > 0 if free is None else free
    return _solve_many(matrix, linear, free) / roots * size


def solve_free(matrix, linear, free):
    """Solves `A x = b` for the free coordinates, with 0 for the others.

    Args:
        matrix: `A`, positive definite, of shape `(n, n)`.
        linear: A batch of `b`, of shape `(batch, n)`.
        free: Booleans of the shape of `linear`: the free coordinates.

    Returns:
        `x`, of the shape of `linear`.
    """
    both = free[:, :, None] & free[:, None, :]
    inside = tf.where(both, matrix, tf.zeros_like(matrix))
    fixed = tf.cast(tf.logical_not(free), linear.dtype)
    factor = tf.linalg.cholesky(inside + tf.linalg.diag(fixed))
    return _solve(factor, tf.where(free, linear, tf.zeros_like(linear)))


def _solve_two(matrix, linear):
    """Evaluates the closed form; the diagonal of the matrix is 1."""
    slope = matrix[0, 1]
    inside = linear - slope * linear[:, ::-1]
    # Otherwise the coordinate that lowers the function less is 0.
    positive = tf.nn.relu(linear)
    keep = positive >= positive[:, ::-1]
    border = tf.where(keep, positive, tf.zeros_like(positive))
    whole = tf.reduce_all(inside >= 0, axis=-1, keepdims=True)
    return tf.where(whole, inside / (1.0 - slope**2), border)


def _solve_many(matrix, linear, free):
    """Solves by pivoting, with interior points as the fallback."""
    x, done = _solve_by_pivoting(matrix, linear, free)
    return tf.cond(
        tf.reduce_all(done),
        lambda: x,
        lambda: tf.where(
            done[:, None], x, _solve_by_interior_point(matrix, linear)
        ),
    )


def _solve_by_pivoting(matrix, linear, free):
    """Returns minima, and whether each has converged, of shape `(batch,)`."""
    size = linear.shape[-1]
    indices = tf.range(size)

    def solve(free):
        x = solve_free(matrix, linear, free)
        # A free coordinate must not be negative, nor the slope of a fixed one.
        return x, tf.where(free, x, x @ matrix - linear) < -_ZERO

    def unfinished(turn, free, x, wrong, fewest, patience):
        return (turn < _MAX_PIVOTS) & tf.reduce_any(wrong)

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


def _solve_by_interior_point(matrix, linear):
    """Approaches the minima from the interior."""

    def unfinished(iteration, x, slack):
        # Where a point is not feasible yet, its slack is not the gradient.
        residual = tf.reduce_max(tf.abs(x @ matrix - linear - slack))
        gap = tf.reduce_max(x * slack)
        unconverged = (gap > _GAP) | (residual > 1e-9)
        return (iteration < _MAX_ITERATIONS) & unconverged

    def improve(iteration, x, slack):
        return iteration + 1, *_improve(matrix, linear, x, slack)

    start = tf.ones_like(linear)
    state = (tf.constant(0), start, start)
    return tf.while_loop(unfinished, improve, state)[1]


def _improve(matrix, linear, x, slack):
    """Takes a step towards `A x - b = s` and `x s = 0`, with `x, s > 0`."""
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
    # Stops at convergence, where the ratio of slack to x would overflow.
    length = tf.where(gap > 1e-2 * _GAP, _step_length(x, slack, dx, ds), 0.0)
    return x + length * dx, slack + length * ds


def _solve(factor, vectors):
    return tf.linalg.cholesky_solve(factor, vectors[..., None])[..., 0]


def _step_length(x, slack, dx, ds):
    """Returns the longest step, at most 1, that stays in the interior."""
    shrinking = tf.minimum(dx / x, ds / slack)
    steepest = tf.reduce_min(shrinking, axis=-1, keepdims=True)
    longest = _BOUNDARY_FRACTION / tf.maximum(-steepest, 1e-30)
    return tf.minimum(longest, 1.0)
