"""Gathers the targets of several tasks of the same shape at once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import tensorflow as tf

from mtl_keras.datasets.mixing.joined_arrays import JoinedArrays
from mtl_keras.datasets.mixing.signature import MixedTarget


class PooledTargets:
    """Targets of tasks of the same shape in several data sets.

    Args:
        labels: Dict from task name to a sequence with the array of targets of
            each data set, or `None` if it does not label the task.
        dtype: The numpy dtype in memory.
        target: The `MixedTarget` of each of these tasks.
    """

    def __init__(
        self,
        labels: Mapping[str, Sequence[np.ndarray | None]],
        dtype: np.dtype,
        target: MixedTarget,
    ) -> None:
        self._tasks = list(labels)
        self._target = target
        arrays = [array for row in labels.values() for array in row]
        self._sets = len(arrays) // len(labels)
        self._complete = all(array is not None for array in arrays)
        self._arrays = JoinedArrays(arrays, dtype)

    def take(self, sets, rows) -> dict:
        """Gathers targets.

        Args:
            sets: Tensor, a vector of indices of data sets.
            rows: Tensor, a vector of their rows.

        Returns:
            Dict from task name to a tensor, with a missing label if the data
            set of a sample does not label the task.
        """
        spec, count = self._target.spec, len(self._tasks)
        numbers = self._sets * tf.range(count)[:, None] + sets
        values = tf.cast(self._arrays.take(numbers, rows), spec.dtype)
        if not self._complete:
            present = self._arrays.contains(numbers)
            present = present[(..., *[None] * len(spec.shape))]
            missing = tf.cast(self._target.missing, spec.dtype)
            values = tf.where(present, values, missing)
        return dict(zip(self._tasks, tf.unstack(values, count), strict=True))
