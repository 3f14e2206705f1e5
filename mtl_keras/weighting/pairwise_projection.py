"""Task gradients that meet the others one after another, and are changed."""

from __future__ import annotations

from collections.abc import Callable

import tensorflow as tf


def meet_in_turn(cosines, orders, react: Callable) -> tuple:
    """Lets each gradient meet all gradients as they came, one after another.

    A gradient is a mixture `p` of the gradients over their norms `u_j`, at
    first of itself alone. At each turn every mixture meets one `u_j`, and some
    of that is added to it. All mixtures take their turn at once.

    Args:
        cosines: `u_i . u_j`, of shape `(tasks, tasks)`.
        orders: Row i says whom gradient i meets: integers of shape `(tasks,
            tasks)`. Itself among them is no meeting.
        react: From the turn, the products `p_i . u_j` and the squares
            `p_i . p_i`, each of shape `(tasks,)`, to how much of `u_j` is
            added, and to anything else of that shape to be kept.

    Returns:
        The mixtures of shape `(tasks, tasks)`, and what was kept of row i's
        meeting with task j, of that shape, 0 where `react` was not asked.
    """
    size = cosines.shape[0]
    others = tf.transpose(orders)
    # One row for each turn and gradient: the products of whom it meets.
    met = tf.gather(cosines, others)
    strangers = tf.cast(others != tf.range(size), cosines.dtype)

    def meet(turn, products, squares, record):
        other, met_now, stranger = (
            tf.gather(of_turns, turn) for of_turns in (others, met, strangers)
        )
        product = tf.gather(products, other, batch_dims=1)
        reaction = stranger * tf.stack(react(turn, product, squares))
        added, _ = tf.unstack(reaction)
        return (
            turn + 1,
            products + added[:, None] * met_now,
            squares + added * (2.0 * product + added),
            record.write(turn, reaction),
        )

    record = tf.TensorArray(cosines.dtype, size, element_shape=(2, size))
    ones = tf.ones_like(cosines[0])
    *_, record = tf.while_loop(
        lambda turn, *_: turn < size,
        meet,
        (tf.constant(0), cosines, ones, record),
    )
    # From turns to whom they were with.
    of_turns = tf.one_hot(others, size, dtype=cosines.dtype)
    added, kept = tf.unstack(
        tf.einsum("tki,tij->kij", record.stack(), of_turns)
    )
    return added + tf.eye(size, dtype=cosines.dtype), kept
