"""Sentences in memory, whose batches are as long as their longest one."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping

import numpy as np
import tensorflow as tf

from mtl_keras.datasets.reading.length_order import order_by_length
from mtl_keras.datasets.reading.ragged_rows import MISSING, RaggedRows
from mtl_keras.datasets.samples import Samples, Targets

# Sentences whose tags are padded at once where they are but counted.
_CHUNK = 1024


@dataclasses.dataclass(frozen=True, eq=False)
class SentenceSource:
    """Makes batches and arrays of sentences.

    Args:
        sentences: Array of shape `(n,)` of strings.
        targets_by_task: Dict from task name to an array of shape `(n, ...)`
            for a task on sentences, or to `RaggedRows` for one on tokens.
        lengths: Integer array of shape `(n,)`, the tokens of each sentence.
    """

    sentences: np.ndarray
    targets_by_task: Mapping[str, np.ndarray | RaggedRows]
    lengths: np.ndarray

    def arrays(self, indices: np.ndarray) -> Samples:
        """Returns some sentences with their targets.

        Args:
            indices: Integer array, which sentences.

        Returns:
            `(x, y)`, in the order of `indices`. Tags are padded with -1 to the
            longest sentence of the source, the same in all parts.
        """
        x = self.sentences[indices]
        return x, self._targets(indices, int(self.lengths.max()))

    def targets(self, indices: np.ndarray) -> Iterator[Targets]:
        """Returns the targets of some sentences.

        Args:
            indices: Integer array, which sentences.

        Yields:
            Dicts of arrays.
        """
        for first in range(0, len(indices), _CHUNK):
            chosen = indices[first : first + _CHUNK]
            yield self._targets(chosen, int(self.lengths[chosen].max()))

    def _targets(self, indices, steps) -> Targets:
        return {
            name: values.padded(indices, steps)
            if isinstance(values, RaggedRows)
            else values[indices]
            for name, values in self.targets_by_task.items()
        }

    def batches(
        self, indices: np.ndarray, batch_size: int, seed: int | None
    ) -> tf.data.Dataset:
        """Makes batches of some sentences.

        Args:
            indices: Integer array, which sentences.
            batch_size: Integer, sentences per batch; the last may be smaller.
            seed: Integer, seed of batches of like length, other ones each
                epoch; or `None` for the order of `indices`.

        Returns:
            A `tf.data.Dataset` of `(x, y)` with a known number of batches. Tags
            are padded with -1 to the longest sentence of the batch.
        """
        sentences = tf.constant(self.sentences[indices])
        targets = {
            name: values.tensor()
            if isinstance(values, RaggedRows)
            else tf.convert_to_tensor(values)
            for name, values in self.targets_by_task.items()
        }
        rows = tf.constant(indices, "int64")

        def batch(chosen):
            numbers = tf.gather(rows, chosen)
            y = {
                name: _dense(tf.gather(values, numbers))
                for name, values in targets.items()
            }
            return tf.gather(sentences, chosen), y

        if seed is None:
            order = tf.data.Dataset.range(len(indices)).batch(batch_size)
        else:
            order = order_by_length(self.lengths[indices], batch_size, seed)
        return order.map(batch).prefetch(tf.data.AUTOTUNE)


def _dense(values):
    if isinstance(values, tf.RaggedTensor):
        return values.to_tensor(MISSING)
    return values
