"""Mean losses of tasks that are computed together, in one metric."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import keras
from keras import ops

from mtl_keras.training.losses.loss_sums import LossSums


class GroupLosses(keras.metrics.Metric):
    """What `TaskLoss` is for one task, for several: logs `<task>_loss`.

    Args:
        names: Names of the tasks.
        by_label: Returns whether a loss is a mean over labels, or over
            batches.
    """

    def __init__(self, names: Sequence[str], by_label: Callable[[], bool]):
        super().__init__(name=f"{names[0]}_and_{len(names) - 1}_more_losses")
        self._names = tuple(names)
        self._by_label = by_label
        count = len(names)
        self._totals = self.add_variable((count,), "zeros", name="totals")
        self._batches = self.add_variable((), "zeros", name="batches")
        self._sums, self._counts = (
            self.add_variable((count, 1), "zeros", name=variable)
            for variable in ("sums", "counts")
        )

    def update_state(self, losses, sample_weight=None) -> None:
        """Adds a batch to what the means over batches are made of.

        Args:
            losses: Tensor of shape `(tasks,)`.
            sample_weight: What the batch counts. Defaults to `1`.
        """
        weight = 1.0 if sample_weight is None else sample_weight
        weight = ops.cast(weight, self.dtype)
        self._totals.assign_add(ops.cast(losses, self.dtype) * weight)
        self._batches.assign_add(weight)

    def add(self, sums: LossSums) -> None:
        """Adds a batch to what the means over labels are made of.

        Args:
            sums: `LossSums` of all tasks.
        """
        self._sums.assign_add(ops.cast(sums.sums, self.dtype))
        self._counts.assign_add(ops.cast(sums.counts, self.dtype))

    def losses(self):
        """Means over labels (0 if there are none) or batches, `(tasks,)`."""
        if self._by_label():
            means = ops.divide_no_nan(self._sums, self._counts)
            return ops.sum(means, axis=-1)
        return ops.divide_no_nan(self._totals, self._batches)

    def result(self) -> dict:
        """Returns a dict from `<task>_loss` to a scalar."""
        losses = ops.unstack(self.losses(), len(self._names))
        return {
            f"{name}_loss": loss
            for name, loss in zip(self._names, losses, strict=True)
        }
