"""Mean metrics for a group of tasks."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from keras import ops

from mtl_keras.training.losses.group_metric import GroupMetric
from mtl_keras.training.losses.loss_sums import reduce_mask, sum_by_task
from mtl_keras.training.losses.task_group_batch import (
    TaskGroupBatch,
    concat_tasks,
)
from mtl_keras.training.losses.task_groups import TaskGroup


class GroupMean(GroupMetric):
    """Computes the mean of a function over the samples of each task.

    Args:
        group: See `GroupMetric`.
        metric: See `GroupMetric`.
        function: Function of `y_true` and `y_pred` that returns one value per
            sample or column.
        transform: Function that is applied to the means. Defaults to `None`.
    """

    def __init__(
        self,
        group: TaskGroup,
        metric: str,
        function: Callable,
        transform: Callable | None = None,
    ):
        super().__init__(group, metric)
        self._function = function
        self._transform = transform
        shape = (len(group.names),)
        self._totals = self.add_variable(shape, "zeros", name="totals")
        self._counts = self.add_variable(shape, "zeros", name="counts")

    def update_state(self, group_batches: Sequence[TaskGroupBatch]) -> None:
        """Adds a batch.

        Args:
            group_batches: The batches that contain the tasks.
        """
        sums = {
            group_batch.names: self._sum_by_task(group_batch)
            for group_batch in group_batches
        }
        for index, variable in enumerate((self._totals, self._counts)):
            by_group = {names: pair[index] for names, pair in sums.items()}
            variable.assign_add(concat_tasks(by_group, self.tasks))

    def _sum_by_task(self, group_batch: TaskGroupBatch) -> tuple:
        """Sums and counts the labelled values, by task."""
        (y_true, labelled), y_pred = group_batch.targets, group_batch.y_pred
        if group_batch.task.columns:  # one value per column
            y_true, y_pred = y_true[..., None], y_pred[..., None]
        values = ops.cast(self._function(y_true, y_pred), self.dtype)
        counts = ops.ones_like(values)
        if labelled is not None:
            labelled = reduce_mask(labelled, len(values.shape))
            while len(labelled.shape) < len(values.shape):
                labelled = labelled[..., None]
            values = ops.where(labelled, values, ops.zeros_like(values))
            counts = ops.where(labelled, counts, ops.zeros_like(counts))
        count = len(group_batch.names)
        return sum_by_task(values, count), sum_by_task(counts, count)

    def values(self):
        means = ops.divide_no_nan(self._totals, self._counts)
        return means if self._transform is None else self._transform(means)
