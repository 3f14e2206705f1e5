"""Counts the skipped training steps by reason."""

from __future__ import annotations

import warnings
from collections.abc import Sequence

import tensorflow as tf

# The key of the whole update, beside the tasks.
UPDATE = "update"


class SkippedSteps:
    """Counts the steps that were skipped since the last `reset`.

    Create it inside the scope of the model's strategy.

    Args:
        names: Names of the tasks with a loss.
    """

    def __init__(self, names: Sequence[str]):
        self._names = tuple(names)
        self._without_labels = _counter("without_labels", ())
        self._non_finite = _counter("non_finite", (2 * len(names) + 1,))
        self._steps = _counter("non_finite_steps", ())

    def reset(self) -> None:
        """Resets all counts to zero."""
        for counter in (self._without_labels, self._non_finite, self._steps):
            counter.assign(tf.zeros_like(counter))

    def add(self, without_labels, finite) -> None:
        """Adds a step. Call it in the graph, outside the replicas.

        Args:
            without_labels: Int64 scalar, 1 if the batch had no label, else 0.
            finite: Boolean vector (see `Finiteness.as_vector`).
        """
        self._without_labels.assign_add(without_labels)
        non_finite = tf.cast(tf.logical_not(finite), tf.int64)
        self._non_finite.assign_add(non_finite)
        self._steps.assign_add(tf.reduce_max(non_finite))

    @property
    def all_finite(self):
        """The argument `finite` of `add` for a finite step."""
        return tf.ones(self._non_finite.shape, tf.bool)

    @property
    def without_labels(self) -> int:
        """The number of batches without labels."""
        return int(self._without_labels.numpy())

    @property
    def steps(self) -> int:
        """The number of steps with a non-finite value."""
        return int(self._steps.numpy())

    @property
    def losses(self) -> dict[str, int]:
        """The number of steps with a non-finite loss, by task."""
        return self._positive_counts(
            self._non_finite.numpy()[: len(self._names)]
        )

    @property
    def gradients(self) -> dict[str, int]:
        """The number of steps with a non-finite gradient, by task.

        The key `"update"` counts steps in which only the sum of the gradients
        is known to be non-finite.
        """
        *by_task, update = self._non_finite.numpy()[len(self._names) :]
        counts = self._positive_counts(by_task)
        if not counts and not self.losses and update:
            counts[UPDATE] = int(update)
        return counts

    def _positive_counts(self, values) -> dict[str, int]:
        counts = zip(self._names, map(int, values), strict=True)
        return {name: count for name, count in counts if count}

    def describe(self) -> str:
        """Describes which losses and gradients were not finite."""
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
        """Warns about batches without labels.

        Args:
            stacklevel: See `warnings.warn`.
        """
        if self.without_labels:
            warnings.warn(
                f"{self.without_labels} batches had no label for any task "
                "and were skipped. Shuffle the samples, or remove those "
                "without labels.",
                stacklevel=stacklevel + 1,
            )


def _counter(name: str, shape: tuple) -> tf.Variable:
    return tf.Variable(
        tf.zeros(shape, tf.int64), trainable=False, name=f"skipped_{name}"
    )
