"""Creates the metrics that a group of tasks computes together."""

from __future__ import annotations

import keras
from keras import ops

from mtl_keras import metrics as own_metrics
from mtl_keras.keras_compat import wrapped_function
from mtl_keras.tasks.groups import make_metric
from mtl_keras.training.losses.group_auc import GroupAUC, matches_group_auc
from mtl_keras.training.losses.group_mean import GroupMean
from mtl_keras.training.losses.group_metric import GroupMetric
from mtl_keras.training.losses.task_groups import TaskGroup

# Means of a value that depends on one sample.
_MEAN_METRICS = (
    own_metrics.Accuracy,
    keras.metrics.BinaryAccuracy,
    keras.metrics.MeanAbsoluteError,
    keras.metrics.MeanSquaredError,
)

# Those that use soft labels as they are.
_VALUE_METRICS = (
    keras.metrics.MeanAbsoluteError,
    keras.metrics.MeanSquaredError,
)


def make_group_metrics(group: TaskGroup) -> dict[str, GroupMetric]:
    """Creates the metrics that a group of tasks can compute together.

    Args:
        group: The tasks.

    Returns:
        Dict from metric name to the metric of all tasks.
    """
    metrics = {
        name: _make_group_metric(group, name, make_metric(group.task, name))
        for name in group.metrics
    }
    return {name: metric for name, metric in metrics.items() if metric}


def _make_group_metric(
    group: TaskGroup, name: str, metric
) -> GroupMetric | None:
    """Creates the metric of a group, or returns `None` if not supported."""
    if type(metric) in _MEAN_METRICS:
        wrapped, arguments = wrapped_function(metric)

        def function(y_true, y_pred):
            return wrapped(y_true, y_pred, **arguments)

        mean = GroupMean(group, name, function)
        mean.compares_values = isinstance(metric, _VALUE_METRICS)
        return mean
    if type(metric) is keras.metrics.RootMeanSquaredError:
        mean = GroupMean(group, name, keras.losses.mean_squared_error, ops.sqrt)
        mean.compares_values = True
        return mean
    if matches_group_auc(metric):
        logits = group.task.from_logits
        return GroupAUC(group, name, metric.num_thresholds, logits)
    return None
