"""Which tasks have labels in a batch: those whose loss is not 0."""

from __future__ import annotations

import tensorflow as tf


def is_present(losses):
    """Tells which tasks have labels in a batch.

    Args:
        losses: Float32 tensor of shape `(tasks,)`, 0 for a task without labels.

    Returns:
        Booleans of shape `(tasks,)`.
    """
    return tf.not_equal(losses, 0.0)


def count_present(losses):
    """Counts the tasks that have labels, as a float32 scalar of 1 or more."""
    present = tf.cast(is_present(losses), tf.float32)
    return tf.maximum(tf.reduce_sum(present), 1.0)


def fill_absent(losses, value: float = 1.0):
    """Puts a harmless value where a loss is 0, before a logarithm or division.

    Args:
        losses: See `is_present`.
        value: What to put. Defaults to `1`.

    Returns:
        A tensor of the shape of `losses`.
    """
    return tf.where(is_present(losses), losses, tf.fill(losses.shape, value))


def keep_present(values, losses):
    """Puts 0 where a task has no labels, with no gradient there.

    Args:
        values: Finite float32 tensor of shape `(tasks,)`.
        losses: See `is_present`.

    Returns:
        A tensor of the shape of `values`.
    """
    return tf.where(is_present(losses), values, tf.zeros_like(values))


def softmax_of_present(logits, losses):
    """Softmax over the tasks that have labels; 0 for the others.

    Args:
        logits: Finite float32 tensor of shape `(tasks,)`.
        losses: See `is_present`.

    Returns:
        A tensor of the shape of `logits`.
    """
    lowest = tf.fill(logits.shape, tf.float32.min)
    softmax = tf.nn.softmax(tf.where(is_present(losses), logits, lowest))
    # Without any labels all logits are lowest and the softmax is uniform.
    return keep_present(softmax, losses)


def weighted_sum(losses, weights):
    """Sums losses with weights that get no gradient.

    Args:
        losses: See `is_present`.
        weights: Float32 tensor of shape `(tasks,)`.

    Returns:
        A scalar, whose gradient by the losses is `weights`, and 0 for a task
        without labels.
    """
    return tf.reduce_sum(
        keep_present(tf.stop_gradient(weights) * losses, losses)
    )
