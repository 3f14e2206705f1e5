"""Projects task gradients onto each other, pair by pair."""

from __future__ import annotations

from collections.abc import Callable

import tensorflow as tf


def project_pairwise(cosines, orders, correct: Callable) -> tuple:
    """Corrects each gradient by every other gradient, one after the other.

    Each corrected gradient is a combination `p` of the normalized original
    gradients `u_j`, and starts as its own. At each turn, a multiple of one
    original `u_j` is added to it. All gradients take a turn at once.

    Args:
        cosines: `u_i . u_j`, of shape `(tasks, tasks)`.
        orders: Integers of shape `(tasks, tasks)`: row i is the order in which
            gradient i is corrected. A gradient skips itself.
        correct: Function of the turn, the products `p_i . u_j` and the squares
            `p_i . p_i`, each of shape `(tasks,)`. Returns the multiples of
            `u_j` to add, and another value to record, both of that shape.

    Returns:
        The combinations, of shape `(tasks, tasks)`, and the recorded values of
        gradient i and task j, of the same shape and 0 on the diagonal.
    """
    size = cosines.shape[0]
    others = tf.transpose(orders)
    # One row for each turn and gradient: the cosines of its current `u_j`.
    other_cosines = tf.gather(cosines, others)
    is_other = tf.cast(others != tf.range(size), cosines.dtype)

    def take_turn(turn, products, squares, record):
        other, row, mask = (
            tf.gather(per_turn, turn)
            for per_turn in (others, other_cosines, is_other)
        )
        product = tf.gather(products, other, batch_dims=1)
        correction = mask * tf.stack(correct(turn, product, squares))
        added, _ = tf.unstack(correction)
        return (
            turn + 1,
            products + added[:, None] * row,
            squares + added * (2.0 * product + added),
            record.write(turn, correction),
        )

    record = tf.TensorArray(cosines.dtype, size, element_shape=(2, size))
    ones = tf.ones_like(cosines[0])
    *_, record = tf.while_loop(
        lambda turn, *_: turn < size,
        take_turn,
        (tf.constant(0), cosines, ones, record),
    )
    # From turns to tasks.
    turns = tf.one_hot(others, size, dtype=cosines.dtype)
    added, recorded = tf.unstack(
        tf.einsum("tki,tij->kij", record.stack(), turns)
    )
    return added + tf.eye(size, dtype=cosines.dtype), recorded
