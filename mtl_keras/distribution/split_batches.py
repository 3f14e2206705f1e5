"""Splits global batches over replicas, on one host or several."""

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
    """Splits each batch of a dataset over the replicas.

    The sizes of the parts differ by at most one. The first parts go to the
    first replica of each worker, which is the order in which Keras
    concatenates predictions. Every worker reads the whole dataset, which must
    be the same on all workers: shuffled with the same seed. TensorFlow
    distributes datasets whose sharding policy is OFF or FILE, and datasets
    with sparse or ragged tensors.

    Args:
        dataset: Global batches: `x`, `(x,)`, `(x, y)` or `(x, y,
            sample_weight)`.
        strategy: The strategy.
        fill: Whether to append the whole batch to the inputs of each replica,
            without targets, if the batch has fewer samples than replicas.
            Convolutions on a CPU fail on parts without samples, and batch
            normalization keeps the statistics of the batch. Defaults to
            `False`.

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

    def split_for_worker(context):
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

    return strategy.distribute_datasets_from_function(split_for_worker)


def _part(batch: tuple, number, total: int, fill: bool):
    """Returns the rows of one replica."""
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
    """Sets the sharding policy of a dataset to DATA, unless it has one.

    By default, TensorFlow first tries to shard by files, and warns if the
    dataset has none.

    Args:
        stream: A `tf.data.Dataset`. Any other object is returned unchanged.

    Returns:
        The dataset with its policy.
    """
    if not isinstance(stream, tf.data.Dataset):
        return stream
    distribute = stream.options().experimental_distribute
    if distribute.auto_shard_policy != _Policy.AUTO:
        return stream
    options = tf.data.Options()
    options.experimental_distribute.auto_shard_policy = _Policy.DATA
    return stream.with_options(options)
