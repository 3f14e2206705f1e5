"""What the Gramian of the task gradients says of the tasks, in the logs."""

from __future__ import annotations

import itertools
from collections.abc import Sequence

import keras
import tensorflow as tf


class GramianMonitor:
    """Means over an epoch of what a Gramian tells.

    `cosine/<task>/<task>` for each pair of task gradients, `norm/<task>`,
    `conflicts`: the share of steps in which two gradients point away from each
    other, and `condition`: the condition number of the Gramian of the
    normalized gradients (a mean of logarithms, to base 10).

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
                labels, whose rows are zero, are left out of it.
        """
        norms = tf.sqrt(tf.linalg.diag_part(gramian))
        labelled = norms > 0
        cosines = tf.math.divide_no_nan(
            tf.math.divide_no_nan(gramian, norms), norms[:, None]
        )
        seen = tf.cast(labelled, "float32")
        both = [seen[i] * seen[j] for i, j in self._pairs]
        of_pairs = [cosines[i, j] for i, j in self._pairs]
        conflict = tf.reduce_any(tf.stack(of_pairs) < 0)
        # A task without labels is left out by making its row that of nothing.
        identity = tf.eye(gramian.shape[0])
        eigenvalues = tf.linalg.eigvalsh(
            tf.where(tf.cast(identity, "bool"), identity, cosines)
        )
        condition = eigenvalues[-1] / tf.maximum(eigenvalues[0], 1e-7)
        values = [
            *of_pairs,
            *tf.unstack(norms),
            tf.cast(conflict, "float32"),
            tf.math.log(condition) / tf.math.log(10.0),
        ]
        weights = [*both, *tf.unstack(seen), 1.0, 1.0]
        for metric, value, weight in zip(
            self.metrics, values, weights, strict=True
        ):
            metric.update_state(value, sample_weight=weight)
