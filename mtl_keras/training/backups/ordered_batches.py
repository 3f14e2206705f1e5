"""Batches of samples in an order that depends on seed and epoch."""

from __future__ import annotations

import math

import tensorflow as tf

from mtl_keras.training.backups.indexed_samples import IndexedSamples


class OrderedBatches:
    """Creates datasets of batches in a reproducible order.

    Args:
        samples: The samples.
        batch_size: Samples per batch; the last of a pass may be smaller.
        shuffle: Whether each pass over the samples has another order.
        seed: Seed of the orders.
    """

    def __init__(
        self,
        samples: IndexedSamples,
        *,
        batch_size: int,
        shuffle: bool,
        seed: int,
    ):
        self._samples = samples
        self._size = samples.count
        self._batch_size = batch_size
        self._shuffle = shuffle
        self._seed = seed

    @property
    def num_batches(self) -> int:
        """The number of batches in a pass."""
        return math.ceil(self._size / self._batch_size)

    def one_pass(self, number: tf.Variable) -> tf.data.Dataset:
        """Creates a dataset of one pass.

        Args:
            number: Int64 variable, the number of the pass, which is read with
                the first batch.
        """
        numbers = tf.data.Dataset.range(1).map(lambda _: number.read_value())
        batches = self._gather(numbers.flat_map(self._order))
        return batches.apply(
            tf.data.experimental.assert_cardinality(self.num_batches)
        )

    def infinite(self, first: int) -> tf.data.Dataset:
        """Creates an infinite dataset of consecutive passes.

        Args:
            first: Index of the first batch, over all passes.
        """
        numbers = tf.data.Dataset.counter(start=first // self.num_batches)
        indices = numbers.flat_map(self._order)
        return self._gather(indices.skip(first % self.num_batches))

    def _order(self, number) -> tf.data.Dataset:
        indices = tf.range(self._size, dtype=tf.int64)
        if self._shuffle:
            indices = tf.random.experimental.stateless_shuffle(
                indices, tf.stack([tf.constant(self._seed, tf.int64), number])
            )
        return tf.data.Dataset.from_tensor_slices(indices).batch(
            self._batch_size,
            drop_remainder=self._size % self._batch_size == 0,
        )

    def _gather(self, indices: tf.data.Dataset) -> tf.data.Dataset:
        batches = indices.map(
            self._samples.gather, num_parallel_calls=tf.data.AUTOTUNE
        )
        return batches.prefetch(tf.data.AUTOTUNE)
