"""Makes batches of sentences, padded to the longest sentence of a batch."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping

import numpy as np
import tensorflow as tf

from mtl_keras.datasets.reading.length_order import order_by_length
from mtl_keras.datasets.reading.ragged_rows import MISSING, RaggedRows
from mtl_keras.datasets.reading.source import Source
from mtl_keras.datasets.samples import Samples, Targets

# Number of sentences whose tags are padded together for counting.
_CHUNK = 1024


@dataclasses.dataclass(frozen=True, eq=False)
class SentenceSource(Source):
    """Makes batches and arrays of sentences.

    Args:
        sentences: Array of shape `(n,)` of strings.
        targets_by_task: Dict from task name to an array of shape `(n, ...)`
            for a task on sentences, or to `RaggedRows` for a task on tokens.
        lengths: Integer array of shape `(n,)`, the number of tokens of each
            sentence.
    """

    sentences: np.ndarray
    targets_by_task: Mapping[str, np.ndarray | RaggedRows]
    lengths: np.ndarray

    def arrays(self, indices: np.ndarray) -> Samples:
        x = self.sentences[indices]
        return x, self._targets(indices, int(self.lengths.max()))

    def targets(self, indices: np.ndarray) -> Iterator[Targets]:
        for first in range(0, len(indices), _CHUNK):
            chosen = indices[first : first + _CHUNK]
            yield self._targets(chosen, int(self.lengths[chosen].max()))

    def _targets(self, indices, steps) -> Targets:
        return {
            name: values.pad(indices, steps)
            if isinstance(values, RaggedRows)
            else values[indices]
            for name, values in self.targets_by_task.items()
        }

    def batches(
        self, indices: np.ndarray, batch_size: int, seed: int | None
    ) -> tf.data.Dataset:
        sentences = tf.constant(self.sentences[indices])
        targets = {
            name: values.to_tensor()
            if isinstance(values, RaggedRows)
            else tf.convert_to_tensor(values)
            for name, values in self.targets_by_task.items()
        }
        rows = tf.constant(indices, "int64")

        def batch(chosen):
            numbers = tf.gather(rows, chosen)
            y = {
                name: _pad(tf.gather(values, numbers))
                for name, values in targets.items()
            }
            return tf.gather(sentences, chosen), y

        if seed is None:
            order = tf.data.Dataset.range(len(indices)).batch(batch_size)
        else:
            order = order_by_length(self.lengths[indices], batch_size, seed)
        return order.map(batch).prefetch(tf.data.AUTOTUNE)


def _pad(values):
    if isinstance(values, tf.RaggedTensor):
        return values.to_tensor(MISSING)
    return values
