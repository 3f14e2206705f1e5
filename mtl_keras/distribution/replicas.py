"""Sums over replicas, inside of a step."""

from __future__ import annotations

import tensorflow as tf

from mtl_keras.keras_compat import get_output_attributes, set_output_attributes


def sum_over_replicas(structure):
    """Sums tensors over all replicas, in one reduction for each dtype.

    Gradients do not pass through: the gradient of a sum over the replicas
    would be another one, for each backward pass that reaches it.

    Args:
        structure: Nested lists and tuples of tensors of this replica; `None`
            stays `None`.

    Returns:
        The sums in the same structure, the same on every replica.
    """
    replica = tf.distribute.get_replica_context()
    if replica is None or replica.num_replicas_in_sync == 1:
        return structure
    tensors = tf.nest.flatten(structure)
    places = {}
    for place, tensor in enumerate(tensors):
        if tensor is not None:
            places.setdefault(tensor.dtype, []).append(place)
    # Together, because each reduction has a latency of its own.
    for alike in places.values():
        given = [_without_gradient(tensors[place]) for place in alike]
        sums = replica.all_reduce(tf.distribute.ReduceOp.SUM, given)
        for place, total in zip(alike, sums, strict=True):
            tensors[place] = total
    return tf.nest.pack_sequence_as(structure, tensors)


def _without_gradient(tensor):
    # Rows of an embedding would be made a whole table.
    sparse = isinstance(tensor, tf.IndexedSlices)
    return tensor if sparse else tf.stop_gradient(tensor)


def mean_over_replicas(results: dict) -> dict:
    """Averages numbers that replicas log, in one reduction.

    Args:
        results: Dict of scalars of this replica; anything else in it stays.

    Returns:
        The dict, with means that are the same on every replica.
    """
    scalars = {
        name: tf.cast(value, "float32")
        for name, value in results.items()
        if tf.is_tensor(value) and value.shape.rank == 0
    }
    (sums,) = sum_over_replicas([tf.stack(list(scalars.values()))])
    replica = tf.distribute.get_replica_context()
    means = tf.unstack(sums / replica.num_replicas_in_sync)
    return {**results, **dict(zip(scalars, means, strict=True))}


def rows_of_targets(outputs: dict, y) -> dict:
    """Leaves out the outputs for inputs that have no targets.

    Where a batch has fewer samples than there are replicas, each computes the
    whole batch behind its own part of it (see `split_batches`).

    Args:
        outputs: Dict of outputs.
        y: Targets: a tensor, or a dict of them.

    Returns:
        The first outputs, as many as there are targets.
    """
    replica = tf.distribute.get_replica_context()
    if replica is None or replica.num_replicas_in_sync == 1:
        return outputs
    rows = tf.shape(tf.nest.flatten(y)[0])[0]

    def cut(output):
        attached = {
            name: None if value is None else value[:rows]
            for name, value in get_output_attributes(output).items()
        }
        return set_output_attributes(output[:rows], attached)

    return {name: cut(output) for name, output in outputs.items()}
