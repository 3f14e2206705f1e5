"""Interface of the objects that read the samples of `Splits`."""

from __future__ import annotations

import abc
from collections.abc import Iterable

import numpy as np
import tensorflow as tf

from mtl_keras.datasets.samples import Samples, Targets


class Source(abc.ABC):
    """Reads samples by index, as arrays or in batches."""

    @abc.abstractmethod
    def arrays(self, indices: np.ndarray) -> Samples:
        """Reads samples into memory.

        Args:
            indices: Integer array of samples.

        Returns:
            `(x, y)`, in the order of `indices`. Sequences of tags are padded
            with -1 to the longest one.

        Raises:
            ValueError: If a file is corrupted or does not fit. The error names
                the file.
        """

    @abc.abstractmethod
    def targets(self, indices: np.ndarray) -> Iterable[Targets]:
        """Reads the targets of samples, without their inputs.

        Args:
            indices: Integer array of samples.

        Returns:
            Iterable of dicts of arrays, a chunk of samples at a time.
        """

    @abc.abstractmethod
    def batches(
        self, indices: np.ndarray, batch_size: int, seed: int | None
    ) -> tf.data.Dataset:
        """Makes batches of samples.

        Args:
            indices: Integer array of samples.
            batch_size: Integer, samples per batch; the last may be smaller.
            seed: Integer, seed of the order, which differs in each epoch; or
                `None` for the order of `indices`.

        Returns:
            A `tf.data.Dataset` of `(x, y)` with a known number of batches.
            Sequences of tags are padded with -1 to the longest one of their
            batch.
        """
