"""Samples that are read from files when they are needed."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import Any

import numpy as np
import tensorflow as tf

from mtl_keras.datasets.samples import Samples, Targets


class StreamedSamples:
    """Samples that are read from files when they are needed.

    Recipes and the command line take folders so, whatever their size.

    Args:
        source: Source that reads samples by index, such as that of the
            `Splits` of `from_folder`.
        indices: Integer array, which of its samples.
    """

    def __init__(self, source: Any, indices: np.ndarray):
        self._source = source
        self._indices = np.asarray(indices)

    def __len__(self) -> int:
        """Returns the number of samples."""
        return len(self._indices)

    @property
    def element_spec(self) -> tuple[tf.TensorSpec, dict[str, tf.TensorSpec]]:
        """Shapes and dtypes of a batch `(x, y)`."""
        return self.batches(1).element_spec

    def select(self, chosen: np.ndarray) -> StreamedSamples:
        """Takes some of the samples.

        Args:
            chosen: Integer array, or a slice.

        Returns:
            Samples that are still to be read.
        """
        return StreamedSamples(self._source, self._indices[chosen])

    def select_tasks(self, names: Collection[str]) -> StreamedSamples:
        """Leaves out the targets of other tasks, which are not read.

        Args:
            names: Names of the tasks.

        Returns:
            Samples that are still to be read.
        """
        return StreamedSamples(self._source.select_tasks(names), self._indices)

    def batches(
        self, batch_size: int, seed: int | None = None
    ) -> tf.data.Dataset:
        """Makes a stream of batches.

        Args:
            batch_size: Integer, samples per batch; the last may be smaller.
            seed: Integer, seed of the order, which is another one each epoch.
                Defaults to `None`: the order of the source.

        Returns:
            A `tf.data.Dataset` of `(x, y)` with a known number of batches.
        """
        return self._source.batches(self._indices, batch_size, seed)

    def inputs(self, batch_size: int) -> tf.data.Dataset:
        """Makes a stream of batches of inputs, without reading targets.

        Args:
            batch_size: Integer, samples per batch.

        Returns:
            A `tf.data.Dataset` of x.
        """
        return self.select_tasks(()).batches(batch_size).map(lambda x, _: x)

    def targets(self) -> Iterator[Targets]:
        """Reads the targets, without the inputs.

        Yields:
            Dicts of arrays, batch by batch.
        """
        return self._source.targets(self._indices)

    def arrays(self) -> Samples:
        """Reads the samples into memory.

        Returns:
            `(x, y)`.
        """
        return self._source.arrays(self._indices)
