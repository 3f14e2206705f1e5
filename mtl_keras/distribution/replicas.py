"""Reductions over replicas, within a step."""

from __future__ import annotations

import tensorflow as tf

from mtl_keras.keras_compat import get_output_attributes, set_output_attributes


def sum_over_replicas(structure):
    """Sums tensors over all replicas, with one reduction for each dtype.

    Gradients do not pass through the sums. Otherwise, each backward pass that
    reaches a sum would need another reduction.

    Args:
        structure: Nested lists and tuples of tensors of this replica. `None`
            stays `None`.

    Returns:
        The sums in the same structure, the same on all replicas.
    """
    replica = tf.distribute.get_replica_context()
    if replica is None or replica.num_replicas_in_sync == 1:
        return structure
    tensors = tf.nest.flatten(structure)
    places = {}
    for place, tensor in enumerate(tensors):
        if tensor is not None:
            places.setdefault(tensor.dtype, []).append(place)
    # Together, because each reduction adds its latency.
    for same_dtype in places.values():
        given = [_stop_gradient(tensors[place]) for place in same_dtype]
        sums = replica.all_reduce(tf.distribute.ReduceOp.SUM, given)
        for place, total in zip(same_dtype, sums, strict=True):
            tensors[place] = total
    return tf.nest.pack_sequence_as(structure, tensors)


def _stop_gradient(tensor):
    # `tf.stop_gradient` would make the whole table of the rows of an embedding.
    sparse = isinstance(tensor, tf.IndexedSlices)
    return tensor if sparse else tf.stop_gradient(tensor)


def mean_over_replicas(results: dict) -> dict:
    """Averages the logged scalars over all replicas, with one reduction.

    Args:
        results: Dict of the logs of this replica. Anything but scalars is
            left as it is.

    Returns:
        The dict with the means, which are the same on all replicas.
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


def keep_target_rows(outputs: dict, y) -> dict:
    """Removes the outputs of samples that have no targets.

    If a batch has fewer samples than replicas, each replica computes the whole
    batch after its part of it (see `split_batches`).

    Args:
        outputs: Dict of outputs.
        y: Targets: a tensor, or a dict of tensors.

    Returns:
        The dict with the first rows of each output, one for each target.
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
