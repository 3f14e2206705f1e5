"""Masks tasks without labels in a batch: those with a loss of 0."""

from __future__ import annotations

import tensorflow as tf


def is_present(losses):
    """Returns which tasks have labels in a batch.

    Args:
        losses: Float32 tensor of shape `(tasks,)`, 0 for a task without labels.

    Returns:
        Booleans of shape `(tasks,)`.
    """
    return tf.not_equal(losses, 0.0)


def count_present(losses):
    """Counts the tasks with labels, as a float32 scalar of 1 or more."""
    present = tf.cast(is_present(losses), tf.float32)
    return tf.maximum(tf.reduce_sum(present), 1.0)


def fill_absent(losses, value: float = 1.0):
    """Replaces losses of 0, before a logarithm or a division.

    Args:
        losses: See `is_present`.
        value: The replacement. Defaults to `1`.

    Returns:
        A tensor of the shape of `losses`.
    """
    return tf.where(is_present(losses), losses, tf.fill(losses.shape, value))


def keep_present(values, losses):
    """Sets the values of tasks without labels to 0, without a gradient.

    Args:
        values: Finite float32 tensor of shape `(tasks,)`.
        losses: See `is_present`.

    Returns:
        A tensor of the shape of `values`.
    """
    return tf.where(is_present(losses), values, tf.zeros_like(values))


def softmax_over_present(logits, losses):
    """Computes the softmax over the tasks with labels; 0 for the others.

    Args:
        logits: Finite float32 tensor of shape `(tasks,)`.
        losses: See `is_present`.

    Returns:
        A tensor of the shape of `logits`.
    """
    lowest = tf.fill(logits.shape, tf.float32.min)
    softmax = tf.nn.softmax(tf.where(is_present(losses), logits, lowest))
    # Without any labels, all logits are equal and the softmax is uniform.
    return keep_present(softmax, losses)


def weighted_sum(losses, weights):
    """Sums the weighted losses, with constant weights.

    Args:
        losses: See `is_present`.
        weights: Float32 tensor of shape `(tasks,)`.

    Returns:
        A scalar. Its gradient with respect to the losses is `weights`, and 0
        for a task without labels.
    """
    return tf.reduce_sum(
        keep_present(tf.stop_gradient(weights) * losses, losses)
    )
