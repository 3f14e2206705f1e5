"""Logs statistics of the Gramian of the task gradients."""

from __future__ import annotations

import itertools
from collections.abc import Sequence

import keras
import tensorflow as tf


class GramianMonitor:
    """Computes means of Gramian statistics over an epoch.

    It logs `cosine/<task>/<task>` for each pair of task gradients,
    `norm/<task>`, `conflicts` (the fraction of steps in which two gradients
    have a negative cosine) and `condition` (the condition number of the
    Gramian of the normalized gradients, as a mean of base 10 logarithms).

    Args:
        names: Names of the tasks.
    """

    def __init__(self, names: Sequence[str]):
        self._pairs = list(itertools.combinations(range(len(names)), 2))
        keys = [
            *(f"cosine/{names[i]}/{names[j]}" for i, j in self._pairs),
            *(f"norm/{name}" for name in names),
            "conflicts",
            "condition",
        ]
        self.metrics = [keras.metrics.Mean(name=key) for key in keys]

    def update(self, gramian) -> None:
        """Adds a step.

        Args:
            gramian: Float32 tensor of shape `(tasks, tasks)`. Tasks without
                labels have zero rows and are ignored.
        """
        norms = tf.sqrt(tf.linalg.diag_part(gramian))
        labelled = norms > 0
        cosines = tf.math.divide_no_nan(
            tf.math.divide_no_nan(gramian, norms), norms[:, None]
        )
        has_labels = tf.cast(labelled, "float32")
        both = [has_labels[i] * has_labels[j] for i, j in self._pairs]
        pair_cosines = [cosines[i, j] for i, j in self._pairs]
        conflict = tf.reduce_any(tf.stack(pair_cosines) < 0)
        # The row of a task without labels becomes that of the identity.
        identity = tf.eye(gramian.shape[0])
        eigenvalues = tf.linalg.eigvalsh(
            tf.where(tf.cast(identity, "bool"), identity, cosines)
        )
        condition = eigenvalues[-1] / tf.maximum(eigenvalues[0], 1e-7)
        values = [
            *pair_cosines,
            *tf.unstack(norms),
            tf.cast(conflict, "float32"),
            tf.math.log(condition) / tf.math.log(10.0),
        ]
        weights = [*both, *tf.unstack(has_labels), 1.0, 1.0]
        for metric, value, weight in zip(
            self.metrics, values, weights, strict=True
        ):
            metric.update_state(value, sample_weight=weight)
