"""Samples that lie in memory."""

from __future__ import annotations

import dataclasses

import keras
import numpy as np
import tensorflow as tf

from mtl_keras.datasets.samples import Samples, Targets, select


@dataclasses.dataclass(frozen=True, eq=False)
class ArraySource:
    """Makes batches and arrays of samples that lie in memory.

    Args:
        x: Array of shape `(n, ...)`, the inputs.
        y: Dict from task name to arrays of shape `(n, ...)`, the targets.
    """

    x: np.ndarray
    y: Targets

    def arrays(self, indices: np.ndarray) -> Samples:
        """Returns some samples.

        Args:
            indices: Integer array, which samples.

        Returns:
            `(x, y)`, in the order of `indices`.
        """
        return select(self.x, self.y, indices)

    def targets(self, indices: np.ndarray) -> list[Targets]:
        """Returns the targets of some samples.

        Args:
            indices: Integer array, which samples.

        Returns:
            A list with a dict of arrays.
        """
        return [self.arrays(indices)[1]]

    def batches(
        self, indices: np.ndarray, batch_size: int, seed: int | None
    ) -> tf.data.Dataset:
        """Makes batches of some samples.

        Args:
            indices: Integer array, which samples.
            batch_size: Integer, samples per batch; the last may be smaller.
            seed: Integer, seed of the order, which is another one each epoch;
                or `None` for the order of `indices`.

        Returns:
            A `tf.data.Dataset` of `(x, y)` with a known number of batches.
        """
        samples = keras.tree.map_structure(
            tf.convert_to_tensor, self.arrays(indices)
        )
        numbers = tf.data.Dataset.range(len(indices))
        if seed is not None:
            numbers = numbers.shuffle(len(indices), seed=seed)
        # One gather a batch costs less than a copy of each sample.
        return (
            numbers.batch(batch_size)
            .map(
                lambda chosen: keras.tree.map_structure(
                    lambda values: tf.gather(values, chosen), samples
                )
            )
            .prefetch(tf.data.AUTOTUNE)
        )
