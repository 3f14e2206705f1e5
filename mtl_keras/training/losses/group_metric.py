"""The base class of metrics for a group of tasks."""

from __future__ import annotations

import abc

import keras
from keras import ops

from mtl_keras.training.losses.task_groups import TaskGroup


class GroupMetric(keras.metrics.Metric, abc.ABC):
    """Base class of a metric for a group of tasks.

    It logs `<task>_<metric>` for each task.

    Args:
        group: The tasks.
        metric: Name of the metric.
    """

    def __init__(self, group: TaskGroup, metric: str):
        first, others = group.names[0], len(group.names) - 1
        super().__init__(name=f"{first}_and_{others}_more_{metric}")
        self.tasks = group.names
        self.metric = metric
        self.log_names = [f"{task}_{metric}" for task in group.names]

    # Whether the metric uses soft labels as they are.
    compares_values = False

    @abc.abstractmethod
    def values(self):
        """Returns the metric of each task, a tensor of shape `(tasks,)`."""

    def result(self) -> dict:
        """Returns a dict from `<task>_<metric>` to a scalar."""
        values = ops.unstack(self.values(), len(self.log_names))
        return dict(zip(self.log_names, values, strict=True))
