"""Areas under ROC curves, of several tasks at once."""

from __future__ import annotations

from collections.abc import Sequence

import keras
import tensorflow as tf
from keras import ops

from mtl_keras.training.losses.batch_parts import BatchPart, pick
from mtl_keras.training.losses.group_metric import GroupMetric
from mtl_keras.training.losses.task_groups import TaskGroup


class GroupAUC(GroupMetric):
    """The area under the ROC curve of each of several binary tasks.

    The numbers are those of `keras.metrics.AUC`, which sorts predictions into
    as many buckets as it has thresholds.

    Args:
        group: See `GroupMetric`.
        metric: See `GroupMetric`.
        num_thresholds: Number of thresholds, at even distances.
        from_logits: Whether predictions are logits and not probabilities.
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
        # By task and by bucket of predictions.
        self._positives, self._negatives = (
            self.add_variable(
                (len(group.names), num_thresholds), "zeros", name=name
            )
            for name in ("positives", "negatives")
        )

    def update_state(self, parts: Sequence[BatchPart]) -> None:
        """Adds a batch.

        Args:
            parts: The parts of the batch that the tasks are in.
        """
        found = {part.names: self._numbers(part) for part in parts}
        for index, variable in enumerate((self._positives, self._negatives)):
            numbers = {names: of[index] for names, of in found.items()}
            variable.assign_add(pick(numbers, self.tasks))

    def _numbers(self, part: BatchPart) -> tuple:
        """Labels of class 1 and of class 0, by task and bucket."""
        (y_true, labelled), y_pred = part.targets, part.y_pred
        count, buckets = len(part.names), self._num_thresholds
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
        # Of a bucket are predictions above its threshold, up to the next one.
        bucket = ops.relu(ops.ceil(predicted * (buckets - 1)) - 1)
        place = ops.cast(bucket, "int32") + buckets * ops.arange(count)
        return tuple(
            ops.reshape(
                tf.math.unsorted_segment_sum(of_class, place, count * buckets),
                (count, buckets),
            )
            for of_class in (positive * weight, (1.0 - positive) * weight)
        )

    def values(self):
        # Above a threshold lie all buckets from there on.
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


def can_stand_for(metric: keras.metrics.Metric) -> bool:
    """Tells whether the area that a metric measures is that of `GroupAUC`.

    Args:
        metric: The metric of one task.
    """
    if type(metric) is not keras.metrics.AUC:
        return False
    config = metric.get_config()
    even = {"num_thresholds": metric.num_thresholds}
    usual = keras.metrics.AUC(**even).get_config()
    own = {"name", "dtype", "from_logits"}
    keys = {*config, *usual} - own
    return all(config.get(key) == usual.get(key) for key in keys)
