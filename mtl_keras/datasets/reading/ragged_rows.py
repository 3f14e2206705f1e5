"""Stores rows of different lengths without padding."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import numpy as np
import tensorflow as tf

MISSING = -1


@dataclasses.dataclass(frozen=True, eq=False)
class RaggedRows:
    """Rows of different lengths, one after the other in one array.

    Args:
        values: int32 array of shape `(tokens,)`.
        splits: int64 array of shape `(rows + 1,)`, where each row begins, and
            where the last one ends.
    """

    values: np.ndarray
    splits: np.ndarray

    @classmethod
    def pack(cls, rows: Sequence[Sequence[int]]) -> RaggedRows:
        """Packs rows into one array.

        Args:
            rows: Sequence of sequences of integers.

        Returns:
            The `RaggedRows`.
        """
        splits = np.zeros(len(rows) + 1, "int64")
        np.cumsum([len(row) for row in rows], out=splits[1:])
        values = np.fromiter(
            (value for row in rows for value in row), "int32", splits[-1]
        )
        return cls(values, splits)

    @property
    def lengths(self) -> np.ndarray:
        """Integer array of shape `(rows,)`."""
        return np.diff(self.splits)

    def pad(self, chosen: np.ndarray, steps: int) -> np.ndarray:
        """Pads rows with -1.

        Args:
            chosen: Integer array of shape `(n,)`, the rows.
            steps: Integer, length to pad to, at least that of the longest row.

        Returns:
            int32 array of shape `(n, steps)`.
        """
        array = np.full((len(chosen), steps), MISSING, "int32")
        for row, number in enumerate(chosen):
            first, last = self.splits[number : number + 2]
            array[row, : last - first] = self.values[first:last]
        return array

    def to_tensor(self) -> tf.RaggedTensor:
        """Converts the rows to a ragged tensor."""
        return tf.RaggedTensor.from_row_splits(
            self.values, self.splits, validate=False
        )
