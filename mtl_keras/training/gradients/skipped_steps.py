"""Counts the training steps that changed nothing, and why."""

from __future__ import annotations

import warnings
from collections.abc import Sequence

import tensorflow as tf

# What is counted for the whole update, beside the tasks.
UPDATE = "update"


class SkippedSteps:
    """Numbers of steps that were passed over since the last `reset`.

    Made inside of the scope of the strategy under which it counts.

    Args:
        names: Names of the tasks that have a loss.
    """

    def __init__(self, names: Sequence[str]):
        self._names = tuple(names)
        self._without_labels = _counter("without_labels", ())
        self._non_finite = _counter("non_finite", (2 * len(names) + 1,))
        self._steps = _counter("non_finite_steps", ())

    def reset(self) -> None:
        """Begins to count from zero."""
        for counter in (self._without_labels, self._non_finite, self._steps):
            counter.assign(tf.zeros_like(counter))

    def add(self, without_labels, finite) -> None:
        """Counts a step. Called in the graph, outside of the replicas.

        Args:
            without_labels: 1 if the batch had no label, else 0: int64.
            finite: What of the step was finite, see `Finiteness.as_vector`.
        """
        self._without_labels.assign_add(without_labels)
        broken = tf.cast(tf.logical_not(finite), tf.int64)
        self._non_finite.assign_add(broken)
        self._steps.assign_add(tf.reduce_max(broken))

    @property
    def all_finite(self):
        """What `add` takes for a step in which all was finite."""
        return tf.ones(self._non_finite.shape, tf.bool)

    @property
    def without_labels(self) -> int:
        """Number of batches without any label."""
        return int(self._without_labels.numpy())

    @property
    def steps(self) -> int:
        """Number of steps in which something was not finite."""
        return int(self._steps.numpy())

    @property
    def losses(self) -> dict[str, int]:
        """Number of steps whose loss was not finite, by task."""
        return self._counts(self._non_finite.numpy()[: len(self._names)])

    @property
    def gradients(self) -> dict[str, int]:
        """Number of steps whose gradient was not finite, by task.

        `"update"` stands for the sum of all, where no task's own part in it
        is known.
        """
        *by_task, update = self._non_finite.numpy()[len(self._names) :]
        found = self._counts(by_task)
        if not found and not self.losses and update:
            found[UPDATE] = int(update)
        return found

    def _counts(self, values) -> dict[str, int]:
        counts = zip(self._names, map(int, values), strict=True)
        return {name: count for name, count in counts if count}

    def describe(self) -> str:
        """Says which losses and gradients were not finite."""
        parts = [
            f"the {kind} of task {name!r} ({count})"
            if name != UPDATE
            else f"the sum of the gradients ({count})"
            for kind, counts in (
                ("loss", self.losses),
                ("gradient", self.gradients),
            )
            for name, count in counts.items()
        ]
        return ", ".join(parts)

    def warn(self, stacklevel: int) -> None:
        """Says what was passed over, if anything was.

        Args:
            stacklevel: See `warnings.warn`.
        """
        if self.without_labels:
            warnings.warn(
                f"{self.without_labels} batches had no label for any task "
                "and changed nothing. Shuffle the samples, or drop those "
                "without labels.",
                stacklevel=stacklevel + 1,
            )


def _counter(name: str, shape: tuple) -> tf.Variable:
    return tf.Variable(
        tf.zeros(shape, tf.int64), trainable=False, name=f"skipped_{name}"
    )
