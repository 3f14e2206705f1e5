"""Means over samples, of several tasks at once."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from keras import ops

from mtl_keras.training.losses.batch_parts import BatchPart, pick
from mtl_keras.training.losses.group_metric import GroupMetric
from mtl_keras.training.losses.loss_sums import sum_by_task, to_rank
from mtl_keras.training.losses.task_groups import TaskGroup


class GroupMean(GroupMetric):
    """What Keras averages over samples, for each task by itself.

    Args:
        group: See `GroupMetric`.
        metric: See `GroupMetric`.
        function: Function of `y_true` and `y_pred` that gives values of
            samples, or of their columns.
        of_mean: Function of the means that gives the metric. Defaults to none.
    """

    def __init__(
        self,
        group: TaskGroup,
        metric: str,
        function: Callable,
        of_mean: Callable | None = None,
    ):
        super().__init__(group, metric)
        self._function = function
        self._of_mean = of_mean
        shape = (len(group.names),)
        self._totals = self.add_variable(shape, "zeros", name="totals")
        self._counts = self.add_variable(shape, "zeros", name="counts")

    def update_state(self, parts: Sequence[BatchPart]) -> None:
        """Adds a batch.

        Args:
            parts: The parts of the batch that the tasks are in.
        """
        found = {part.names: self._sums(part) for part in parts}
        for index, variable in enumerate((self._totals, self._counts)):
            sums = {names: of_part[index] for names, of_part in found.items()}
            variable.assign_add(pick(sums, self.tasks))

    def _sums(self, part: BatchPart) -> tuple:
        """Sums of the labelled values, and their numbers, by task."""
        (y_true, labelled), y_pred = part.targets, part.y_pred
        if part.task.columns:  # one by one
            y_true, y_pred = y_true[..., None], y_pred[..., None]
        values = ops.cast(self._function(y_true, y_pred), self.dtype)
        counts = ops.ones_like(values)
        if labelled is not None:
            labelled = to_rank(labelled, len(values.shape))
            while len(labelled.shape) < len(values.shape):
                labelled = labelled[..., None]
            values = ops.where(labelled, values, ops.zeros_like(values))
            counts = ops.where(labelled, counts, ops.zeros_like(counts))
        count = len(part.names)
        return sum_by_task(values, count), sum_by_task(counts, count)

    def values(self):
        means = ops.divide_no_nan(self._totals, self._counts)
        return means if self._of_mean is None else self._of_mean(means)
