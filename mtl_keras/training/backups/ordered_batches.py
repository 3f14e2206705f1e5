"""Batches of arrays in an order that follows from seed and epoch."""

from __future__ import annotations

import math

import keras
import tensorflow as tf

from mtl_keras.keras_compat import convert_to_sliceable


class OrderedBatches:
    """Makes streams of batches of arrays.

    Args:
        data: Arrays in a nested structure, of as many samples each.
        batch_size: Samples in a batch; the last of a pass may be smaller.
        shuffle: Whether each pass over the data has an order of its own.
        seed: Seed of the orders.

    Raises:
        TypeError: If the arrays are sparse or ragged.
    """

    def __init__(self, data, *, batch_size: int, shuffle: bool, seed: int):
        data = convert_to_sliceable(data, target_backend="tensorflow")
        # Datasets take a list for one tensor.
        self._data = keras.tree.lists_to_tuples(
            keras.tree.map_structure(_to_tensor, data)
        )
        self._size = len(keras.tree.flatten(self._data)[0])
        self._batch_size = batch_size
        self._shuffle = shuffle
        self._seed = seed

    @property
    def num_batches(self) -> int:
        """Number of batches in a pass."""
        return math.ceil(self._size / self._batch_size)

    def one_pass(self, number: tf.Variable) -> tf.data.Dataset:
        """Makes a stream of one pass.

        Args:
            number: Number of the pass, int64, which is read when the first
                batch is.
        """
        numbers = tf.data.Dataset.range(1).map(lambda _: number.read_value())
        batches = self._gather(numbers.flat_map(self._order))
        return batches.apply(
            tf.data.experimental.assert_cardinality(self.num_batches)
        )

    def endless(self, first: int) -> tf.data.Dataset:
        """Makes an endless stream of passes in a row.

        Args:
            first: Number of the batch to begin with, over all passes.
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
        def gather(rows):
            return keras.tree.map_structure(
                lambda array: tf.gather(array, rows), self._data
            )

        batches = indices.map(gather, num_parallel_calls=tf.data.AUTOTUNE)
        return batches.prefetch(tf.data.AUTOTUNE)


def _to_tensor(array) -> tf.Tensor:
    if isinstance(array, tf.SparseTensor | tf.RaggedTensor) or not (
        hasattr(array, "shape") and hasattr(array, "dtype")
    ):
        raise TypeError(
            f"The data hold a {type(array).__name__}, and a training with "
            "BackupAndRestore orders dense arrays alone. Pass a "
            "tf.data.Dataset of batches instead."
        )
    return tf.convert_to_tensor(array)
