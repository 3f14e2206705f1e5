"""The area under the ROC curve for a group of tasks."""

from __future__ import annotations

from collections.abc import Sequence

import keras
import tensorflow as tf
from keras import ops

from mtl_keras.training.losses.group_metric import GroupMetric
from mtl_keras.training.losses.task_group_batch import (
    TaskGroupBatch,
    concat_tasks,
)
from mtl_keras.training.losses.task_groups import TaskGroup


class GroupAUC(GroupMetric):
    """Computes the area under the ROC curve of each binary task in a group.

    The results equal `keras.metrics.AUC`, which sorts predictions into one
    bucket per threshold.

    Args:
        group: See `GroupMetric`.
        metric: See `GroupMetric`.
        num_thresholds: Number of evenly spaced thresholds.
        from_logits: Whether predictions are logits.
    """

    def __init__(
        self,
        group: TaskGroup,
        metric: str,
        num_thresholds: int,
        from_logits: bool,
    ):
        super().__init__(group, metric)
        self._num_thresholds = num_thresholds
        self._from_logits = from_logits
        # Shape: (tasks, buckets).
        self._positives, self._negatives = (
            self.add_variable(
                (len(group.names), num_thresholds), "zeros", name=name
            )
            for name in ("positives", "negatives")
        )

    def update_state(self, group_batches: Sequence[TaskGroupBatch]) -> None:
        """Adds a batch.

        Args:
            group_batches: The batches that contain the tasks.
        """
        counts = {
            group_batch.names: self._count_buckets(group_batch)
            for group_batch in group_batches
        }
        for index, variable in enumerate((self._positives, self._negatives)):
            by_group = {names: pair[index] for names, pair in counts.items()}
            variable.assign_add(concat_tasks(by_group, self.tasks))

    def _count_buckets(self, group_batch: TaskGroupBatch) -> tuple:
        """Counts the labels of class 1 and of class 0, by task and bucket."""
        (y_true, labelled), y_pred = group_batch.targets, group_batch.y_pred
        count, buckets = len(group_batch.names), self._num_thresholds
        if labelled is None:
            labelled = ops.ones_like(y_pred)
        positive, predicted, weight = (
            ops.reshape(ops.cast(each, self.dtype), (-1, count))
            for each in (y_true, y_pred, labelled)
        )
        positive = ops.cast(positive != 0, self.dtype)
        if self._from_logits:
            predicted = ops.sigmoid(predicted)
        predicted = ops.clip(predicted, 0.0, 1.0)
        # A bucket holds predictions above its threshold, up to the next one.
        bucket = ops.relu(ops.ceil(predicted * (buckets - 1)) - 1)
        segment = ops.cast(bucket, "int32") + buckets * ops.arange(count)
        return tuple(
            ops.reshape(
                tf.math.unsorted_segment_sum(labels, segment, count * buckets),
                (count, buckets),
            )
            for labels in (positive * weight, (1.0 - positive) * weight)
        )

    def values(self):
        # Counts above a threshold: the sum of all buckets from there on.
        above = (
            tf.cumsum(tf.convert_to_tensor(counts), axis=1, reverse=True)
            for counts in (self._positives, self._negatives)
        )
        recall, fall_out = (
            ops.divide_no_nan(counts, counts[:, :1]) for counts in above
        )
        heights = (recall[:, :-1] + recall[:, 1:]) / 2.0
        widths = fall_out[:, :-1] - fall_out[:, 1:]
        return ops.sum(widths * heights, axis=1)


def matches_group_auc(metric: keras.metrics.Metric) -> bool:
    """Returns whether `GroupAUC` computes the same value as a metric.

    Args:
        metric: The metric of one task.
    """
    if type(metric) is not keras.metrics.AUC:
        return False
    config = metric.get_config()
    default = keras.metrics.AUC(num_thresholds=metric.num_thresholds)
    default_config = default.get_config()
    keys = {*config, *default_config} - {"name", "dtype", "from_logits"}
    return all(config.get(key) == default_config.get(key) for key in keys)
