"""A metric of several tasks that are computed together."""

from __future__ import annotations

import abc

import keras
from keras import ops

from mtl_keras.training.losses.task_groups import TaskGroup


class GroupMetric(keras.metrics.Metric, abc.ABC):
    """Base of metrics of several tasks, logged as `<task>_<metric>`.

    Args:
        group: The tasks.
        metric: Name of the metric.
    """

    def __init__(self, group: TaskGroup, metric: str):
        first, others = group.names[0], len(group.names) - 1
        super().__init__(name=f"{first}_and_{others}_more_{metric}")
        self.tasks = group.names
        self.metric = metric
        self.logged = [f"{task}_{metric}" for task in group.names]

    # Whether soft labels mean something to it.
    compares_values = False

    @abc.abstractmethod
    def values(self):
        """The metric of each task, a tensor of shape `(tasks,)`."""

    def result(self) -> dict:
        """Returns a dict from `<task>_<metric>` to a scalar."""
        values = ops.unstack(self.values(), len(self.logged))
        return dict(zip(self.logged, values, strict=True))
