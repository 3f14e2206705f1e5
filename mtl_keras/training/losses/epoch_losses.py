"""The losses that an epoch logs: `loss` and `<task>_loss`.

A task's loss is the sum of its weighted element losses, divided by the number
of its labelled elements in the epoch.
"""

from __future__ import annotations

from collections.abc import Sequence

import keras
from keras import ops

from mtl_keras.training.losses.loss_sums import LossSums


class TotalLoss(keras.metrics.Metric):
    """Sums the weighted task losses and the added losses of an epoch.

    Each batch counts with the loss weights at its time. Added losses, such as
    weight penalties, are averaged over samples.

    Args:
        names: Names of the tasks with a loss.
        num_terms: Largest number of terms of a loss.
    """

    def __init__(self, names: Sequence[str], num_terms: int):
        super().__init__(name="loss")
        shape = (len(names), num_terms)
        # One variable for all tasks: an update costs the same for any number.
        self._sums = self.add_variable((2, *shape), "zeros", name="sums")
        self._counts = self.add_variable(shape, "zeros", name="counts")
        self._added = self.add_variable((2,), "zeros", name="added")

    def add(self, sums: LossSums, weights, added, num_samples) -> None:
        """Adds a batch.

        Args:
            sums: `LossSums` of all tasks, of shape `(tasks, num_terms)`.
            weights: Loss weights of shape `(tasks,)`.
            added: Sum of the added losses, a scalar.
            num_samples: Number of samples.
        """
        self.add_task_losses(sums, weights)
        self.update_state(added, num_samples)

    def add_task_losses(self, sums: LossSums, weights=None) -> None:
        """Adds the task losses of a batch.

        Args:
            sums: See `add`.
            weights: See `add`. With `None`, the total loss does not change.
        """
        task_sums = ops.cast(sums.sums, self.dtype)
        weighted = ops.zeros_like(task_sums)
        if weights is not None:
            weighted = task_sums * ops.cast(weights, self.dtype)[:, None]
        self._sums.assign_add(ops.stack([task_sums, weighted]))
        self._counts.assign_add(ops.cast(sums.counts, self.dtype))

    def update_state(self, values, sample_weight=None) -> None:
        """Adds a loss without a task, as `keras.metrics.Mean` does.

        Args:
            values: A scalar.
            sample_weight: Weight of the value. Defaults to 1.
        """
        weight = 1.0 if sample_weight is None else sample_weight
        weight = ops.cast(weight, self.dtype)
        values = ops.cast(values, self.dtype)
        self._added.assign_add(ops.stack([ops.mean(values) * weight, weight]))

    def means(self, index: int = 0):
        """Returns the mean loss of each task, 0 for a task without labels.

        Args:
            index: 0 for the losses, 1 for the weighted losses. Defaults to 0.
        """
        return ops.sum(self.term_means(index), axis=-1)

    def term_means(self, index: int = 0):
        """Returns the mean of each term of each loss, `(tasks, num_terms)`.

        Args:
            index: See `means`.
        """
        return ops.divide_no_nan(self._sums[index], self._counts)

    def result(self):
        """Returns the weighted sum of the mean task and added losses."""
        added = ops.divide_no_nan(self._added[0], self._added[1])
        return ops.sum(self.means(1)) + added


class LogPlaceholder(keras.metrics.Metric):
    """Reserves the position of a log in the list that `evaluate` returns.

    Args:
        name: Name of the log, which another metric computes.
    """

    def __init__(self, name: str):
        super().__init__(name=name)

    def update_state(self, *args, **kwargs) -> None:
        """Does nothing."""

    def reset_state(self) -> None:
        """Does nothing."""

    def result(self) -> dict:
        """Returns an empty dict."""
        return {}


class EpochTaskLosses(keras.metrics.Metric):
    """Logs `<task>_loss` for each task, from the sums of a `TotalLoss`.

    Args:
        names: Names of the tasks with a loss.
        total: The total loss, which stores the sums.
    """

    def __init__(self, names: Sequence[str], total: TotalLoss):
        super().__init__(name="task_losses")
        self._names = tuple(names)
        # Hidden in a function, so that Keras tracks the variables only once.
        self._means = lambda: total.means()

    def update_state(self, *args, **kwargs) -> None:
        """Does nothing: `TotalLoss` stores the sums."""

    def reset_state(self) -> None:
        """Does nothing: `TotalLoss` stores the sums."""

    def result(self) -> dict:
        """Returns a dict from `<task>_loss` to a scalar."""
        means = ops.unstack(self._means(), len(self._names))
        return {
            f"{name}_loss": mean
            for name, mean in zip(self._names, means, strict=True)
        }
