"""Logs the mean task weights of an epoch."""

from __future__ import annotations

from collections.abc import Sequence

import keras
import tensorflow as tf


class WeightLog(keras.metrics.Metric):
    """Computes the mean weight of each task, logged as `weight/<task>`.

    One metric serves all tasks: an update costs the same for any number.

    Args:
        names: Names of the tasks.
    """

    def __init__(self, names: Sequence[str]):
        super().__init__(name="weights")
        self._names = tuple(names)
        self._sums = self.add_variable((len(names),), "zeros", name="sums")
        self._count = self.add_variable((), "zeros", name="count")

    def update_state(self, weights, sample_weight=None) -> None:
        """Adds a step.

        Args:
            weights: Float32 tensor of shape `(tasks,)`.
            sample_weight: Ignored.
        """
        self._sums.assign_add(weights)
        self._count.assign_add(1.0)

    def result(self) -> dict:
        """Returns a dict from `weight/<task>` to its mean, 0 without steps."""
        sums = tf.convert_to_tensor(self._sums.value)
        means = tf.math.divide_no_nan(sums, self._count.value)
        names = [f"weight/{name}" for name in self._names]
        return dict(zip(names, tf.unstack(means), strict=True))
