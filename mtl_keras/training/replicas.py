"""Sums over replicas, inside of a step."""

from __future__ import annotations

from collections.abc import Sequence

import keras
import tensorflow as tf


def sum_over_replicas(tensors: Sequence) -> list:
    """Sums tensors over all replicas.

    Args:
        tensors: Tensors of this replica; `None` stays `None`.

    Returns:
        The sums, the same on every replica.
    """
    replica = tf.distribute.get_replica_context()
    given = [tensor for tensor in tensors if tensor is not None]
    if replica is None or replica.num_replicas_in_sync == 1 or not given:
        return list(tensors)
    # Together, because each reduction has a latency of its own.
    sums = iter(replica.all_reduce(tf.distribute.ReduceOp.SUM, given))
    return [None if tensor is None else next(sums) for tensor in tensors]


def hand_over_sums(optimizer: keras.optimizers.Optimizer) -> None:
    """Has an optimizer take gradients that are sums over the replicas.

    Keras clips gradients on each replica before it sums them, so that clipping
    depends on the number of replicas. Steps of our own sum them first; the
    optimizer then must not sum again.

    Args:
        optimizer: The optimizer of a model, changed for good.
    """
    inner = getattr(optimizer, "inner_optimizer", optimizer)
    inner._all_reduce_sum_gradients = list
