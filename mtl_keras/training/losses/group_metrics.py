"""Which metrics of a group of tasks can be computed together, and how."""

from __future__ import annotations

import keras
from keras import ops

from mtl_keras import metrics as own_metrics
from mtl_keras.keras_compat import wrapped_function
from mtl_keras.tasks.groups import make_metric
from mtl_keras.training.losses.group_auc import GroupAUC, can_stand_for
from mtl_keras.training.losses.group_mean import GroupMean
from mtl_keras.training.losses.group_metric import GroupMetric
from mtl_keras.training.losses.task_groups import TaskGroup

# Means over samples of a value that depends on the sample alone.
_MEANS = (
    own_metrics.Accuracy,
    keras.metrics.BinaryAccuracy,
    keras.metrics.MeanAbsoluteError,
    keras.metrics.MeanSquaredError,
)

_OF_VALUES = (
    keras.metrics.MeanAbsoluteError,
    keras.metrics.MeanSquaredError,
)


def computed_together(group: TaskGroup) -> dict[str, GroupMetric]:
    """Makes the metrics of a group that can be computed together.

    Args:
        group: The tasks.

    Returns:
        Dict from the name of a metric to the metric of all tasks.
    """
    found = {
        name: _of_group(group, name, make_metric(group.task, name))
        for name in group.metrics
    }
    return {name: metric for name, metric in found.items() if metric}


def _of_group(group: TaskGroup, name: str, metric) -> GroupMetric | None:
    """The metric of all tasks; `None` for kinds that are not known."""
    if type(metric) in _MEANS:
        wrapped, arguments = wrapped_function(metric)

        def function(y_true, y_pred):
            return wrapped(y_true, y_pred, **arguments)

        mean = GroupMean(group, name, function)
        mean.compares_values = isinstance(metric, _OF_VALUES)
        return mean
    if type(metric) is keras.metrics.RootMeanSquaredError:
        mean = GroupMean(group, name, keras.losses.mean_squared_error, ops.sqrt)
        mean.compares_values = True
        return mean
    if can_stand_for(metric):
        logits = group.task.from_logits
        return GroupAUC(group, name, metric.num_thresholds, logits)
    return None
