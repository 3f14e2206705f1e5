"""Splits global batches over replicas, of one host or of many."""

from __future__ import annotations

import keras
import tensorflow as tf

_Policy = tf.data.experimental.AutoShardPolicy


def split_batches(
    dataset: tf.data.Dataset,
    strategy: tf.distribute.Strategy,
    *,
    fill: bool = False,
) -> tf.distribute.DistributedDataset:
    """Gives each replica its part of each batch of a dataset.

    The parts are as even as can be. The first ones go to the first replicas of
    all workers, in the order in which Keras puts predictions together. Every
    worker reads the whole dataset, which has to be the same on all: shuffled
    by the same seed. A dataset whose sharding policy is OFF or FILE, or that
    has sparse or ragged tensors, is left to TensorFlow.

    Args:
        dataset: Global batches: `x`, `(x,)`, `(x, y)` or `(x, y,
            sample_weight)`.
        strategy: The strategy.
        fill: Whether replicas for which a batch is too short compute it whole,
            without targets: the inputs of all replicas are then their own
            part, followed by the whole batch. Kernels of convolutions on CPUs
            fail on parts without a sample, and what batch normalization sees
            stays right. Defaults to `False`.

    Returns:
        A `tf.distribute.DistributedDataset`.
    """
    policy = dataset.options().experimental_distribute.auto_shard_policy
    dense = all(
        isinstance(spec, tf.TensorSpec)
        for spec in tf.nest.flatten(dataset.element_spec)
    )
    if policy not in (_Policy.AUTO, _Policy.DATA) or not dense:
        return strategy.experimental_distribute_dataset(dataset)
    total = strategy.num_replicas_in_sync

    def part(number, *batch):
        return _part(batch, number, total, fill)

    def of_worker(context):
        workers, first = context.num_input_pipelines, context.input_pipeline_id
        local = total // workers
        if local == 1:
            parts = dataset.map(lambda *batch: part(first, *batch))
        else:
            parts = dataset.flat_map(
                lambda *batch: tf.data.Dataset.range(first, total, workers).map(
                    lambda number: part(number, *batch)
                )
            )
        return parts.prefetch(2 * local)

    return strategy.distribute_datasets_from_function(of_worker)


def _part(batch: tuple, number, total: int, fill: bool):
    """The rows of one replica."""
    number = tf.cast(number, tf.int64)
    size = tf.shape(keras.tree.flatten(batch)[0], out_type=tf.int64)[0]
    first, last = size * number // total, size * (number + 1) // total

    def cut(tensor):
        return tensor[first:last]

    def cut_and_fill(tensor):
        whole = tensor[: tf.where(size < total, size, 0)]
        return tf.concat([tensor[first:last], whole], axis=0)

    x, *others = batch
    x = keras.tree.map_structure(cut_and_fill if fill else cut, x)
    others = keras.tree.map_structure(cut, others)
    return (x, *others) if others else x


def shard_by_data(stream):
    """Has a dataset sharded by its elements where its user said nothing.

    TensorFlow tries to shard files first, and warns if there are none.

    Args:
        stream: Anything; what is no `tf.data.Dataset` is returned as it is.
    """
    if not isinstance(stream, tf.data.Dataset):
        return stream
    distribute = stream.options().experimental_distribute
    if distribute.auto_shard_policy != _Policy.AUTO:
        return stream
    options = tf.data.Options()
    options.experimental_distribute.auto_shard_policy = _Policy.DATA
    return stream.with_options(options)
