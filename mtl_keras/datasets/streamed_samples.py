"""Reads samples from files when they are needed."""

from __future__ import annotations

from collections.abc import Collection, Iterator

import numpy as np
import tensorflow as tf

from mtl_keras.datasets.reading.folder_source import FolderSource
from mtl_keras.datasets.samples import Samples, Targets


class StreamedSamples:
    """Samples that are read from files when they are needed.

    Recipes and the command line read folders of any size this way.

    Args:
        source: The `FolderSource` of the `Splits` of `from_folder`.
        indices: Integer array of samples.
    """

    def __init__(self, source: FolderSource, indices: np.ndarray):
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
        """Selects samples without reading them.

        Args:
            chosen: Integer array, or a slice.

        Returns:
            `StreamedSamples`.
        """
        return StreamedSamples(self._source, self._indices[chosen])

    def select_tasks(self, names: Collection[str]) -> StreamedSamples:
        """Selects the targets to read.

        Args:
            names: Names of the tasks.

        Returns:
            `StreamedSamples` that do not read the targets of other tasks.
        """
        return StreamedSamples(self._source.select_tasks(names), self._indices)

    def batches(
        self, batch_size: int, seed: int | None = None
    ) -> tf.data.Dataset:
        """Makes a stream of batches.

        Args:
            batch_size: Integer, samples per batch; the last may be smaller.
            seed: Integer, seed of the order, which differs in each epoch.
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
            A `tf.data.Dataset` of `x`.
        """
        return self.select_tasks(()).batches(batch_size).map(lambda x, _: x)

    def targets(self) -> Iterator[Targets]:
        """Yields the targets, without reading the inputs.

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
