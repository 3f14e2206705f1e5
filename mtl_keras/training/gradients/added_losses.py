"""Added losses: losses without a task, such as regularization."""

from __future__ import annotations

import keras
import tensorflow as tf

from mtl_keras.distribution.replicas import sum_over_replicas


def added_losses(model):
    """Sums the losses that layers added on this replica.

    Args:
        model: The model, after a call.

    Returns:
        A float32 scalar.
    """
    losses = [tf.reduce_sum(tf.cast(loss, "float32")) for loss in model.losses]
    return sum(losses, start=tf.zeros(()))


def scale_added_losses(model, x, losses):
    """Scales the added losses to this replica's share of the batch.

    Weight penalties are equal on all replicas. An argument of `add_loss` is
    taken as a mean over samples, like Keras's activity regularizers, so a
    replica counts by its number of samples.

    Args:
        model: The model, after a call.
        x: Inputs of the call.
        losses: The result of `added_losses`.

    Returns:
        A scalar. The sum over the replicas is the added loss of the batch.
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
