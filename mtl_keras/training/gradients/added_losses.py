"""Losses that belong to no task, such as regularization."""

from __future__ import annotations

import keras
import tensorflow as tf

from mtl_keras.distribution.replicas import sum_over_replicas


def added_losses(model):
    """Sums what layers add, in the part of the batch that a replica has.

    Args:
        model: The model, after it was called.

    Returns:
        A float32 scalar.
    """
    losses = [tf.reduce_sum(tf.cast(loss, "float32")) for loss in model.losses]
    return sum(losses, start=tf.zeros(()))


def share_of_batch(model, x, losses):
    """Returns this replica's share of the added losses of the whole batch.

    Penalties of weights are the same on all replicas. What `add_loss` is given
    is taken for a mean over samples, as Keras makes it of an activity
    regularizer; a mean of a larger part counts for more.

    Args:
        model: The model, after it was called.
        x: Inputs that it was called with.
        losses: What `added_losses` returned.

    Returns:
        A scalar; the sum over the replicas is the loss of the batch.
    """
    replicas = model.distribute_strategy.num_replicas_in_sync
    if replicas == 1:
        return losses
    penalties = [v for v in model.trainable_weights if v.regularizer]
    if len(model.losses) == len(penalties):
        return losses / replicas
    first = next(leaf for leaf in keras.tree.flatten(x) if leaf is not None)
    size = tf.cast(tf.shape(first)[0], "float32")
    return losses * size / sum_over_replicas(size)
