"""The metrics of a model by task, over what is labelled."""

from __future__ import annotations

import inspect
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import keras
from keras import ops

from mtl_keras.keras_compat import (
    direction_of,
    waits_for_batch,
    wrapped_function,
)
from mtl_keras.losses.columns import is_mean_over_columns
from mtl_keras.metrics import F1Score
from mtl_keras.tasks import Task
from mtl_keras.tasks.groups import make_metric
from mtl_keras.tasks.metric_directions import metric_direction
from mtl_keras.training.data.masked_targets import MaskedTargets
from mtl_keras.training.losses.batch_parts import BatchPart
from mtl_keras.training.losses.group_metric import GroupMetric
from mtl_keras.training.losses.group_metrics import computed_together
from mtl_keras.training.losses.loss_sums import to_rank, weights_of
from mtl_keras.training.losses.task_groups import TaskGroup

# Metrics that take a weight for each element of an output.
_WEIGHTED_BY_ELEMENT = (
    keras.metrics.AUC,
    keras.metrics.FalseNegatives,
    keras.metrics.FalsePositives,
    keras.metrics.IoU,
    keras.metrics.Precision,
    keras.metrics.PrecisionAtRecall,
    keras.metrics.R2Score,
    keras.metrics.Recall,
    keras.metrics.RecallAtPrecision,
    keras.metrics.RootMeanSquaredError,
    keras.metrics.SensitivityAtSpecificity,
    keras.metrics.SpecificityAtSensitivity,
    keras.metrics.TrueNegatives,
    keras.metrics.TruePositives,
    F1Score,
)
# Metrics that compare values, so that soft labels mean something to them.
_OF_VALUES = (
    keras.metrics.BinaryCrossentropy,
    keras.metrics.KLDivergence,
    keras.metrics.MeanAbsoluteError,
    keras.metrics.MeanSquaredError,
    keras.metrics.Poisson,
    keras.metrics.R2Score,
    keras.metrics.RootMeanSquaredError,
)


class TaskMetric(NamedTuple):
    """A metric of one task.

    Args:
        key: Its name in the logs, `<task>_<metric>`.
        task: Name of the task.
        metric: The metric.
        weighted: Whether sample weights count.
    """

    key: str
    task: str
    metric: keras.metrics.Metric
    weighted: bool


class TaskMetrics(keras.metrics.Metric):
    """Computes the metrics of all tasks, without what is not labelled.

    Args:
        tasks: The tasks of the model.
        metrics: Dict from task name to a metric or a list of them, each a
            `keras.metrics.Metric`, a name or a function.
        weighted_metrics: Likewise, for metrics that take sample weights.
        of_groups: Metrics of tasks that are computed together.
    """

    def __init__(
        self,
        tasks: Sequence[Task],
        metrics: Mapping[str, Any],
        weighted_metrics: Mapping[str, Any],
        of_groups: Sequence[GroupMetric] = (),
    ):
        super().__init__(name="task_metrics")
        self.of_groups = list(of_groups)
        self._tasks_by_name = {task.name: task for task in tasks}
        found = [
            (task, metric, weighted)
            for weighted, given in ((False, metrics), (True, weighted_metrics))
            for task in sorted(tasks, key=lambda task: task.name)
            for metric in _as_metrics(task, given.get(task.name))
        ]
        keys = _unique_keys(found)
        self.single = [
            TaskMetric(key, task.name, metric, weighted)
            for key, (task, metric, weighted) in zip(keys, found, strict=True)
        ]
        # As a list, Keras finds the variables.
        self._tracked = [each.metric for each in self.single]
        # Whether a metric may still make variables.
        self.needs_build = any(map(waits_for_batch, self._tracked))

    def update(self, parts: Sequence[BatchPart]) -> None:
        """Updates all metrics with a batch.

        Sample weights count for `weighted_metrics` alone, as in Keras.

        Args:
            parts: The parts of the batch.
        """
        for metric in self.of_groups:
            of_group = [p for p in parts if p.names[0] in metric.tasks]
            if not metric.compares_values:
                of_group = [_with_classes(part) for part in of_group]
            metric.update_state(of_group)
        single = _SingleParts(parts)
        for each in self.single:
            part = single[each.task]
            update_metric(
                each.metric,
                part.task,
                part.targets,
                part.y_pred,
                part.sample_weight if each.weighted else None,
            )

    def names_of_samples(self, task: Task) -> list[str]:
        """Lists the metrics of a task that see samples without a missing label.

        Args:
            task: A task whose columns have labels of their own.
        """
        return [
            each.metric.name
            for each in self.single
            if each.task == task.name and not _counts_elements(each.metric)
        ]

    def names(self) -> list[str]:
        """Lists the names of the logs, `<task>_<metric>`."""
        single = [each.key for each in self.single]
        return single + [log for each in self.of_groups for log in each.logged]

    def names_of_task(self, task: str) -> list[str]:
        """Lists the names of the metrics of a task.

        Args:
            task: Name of the task.
        """
        grouped = [m.metric for m in self.of_groups if task in m.tasks]
        return grouped + [e.metric.name for e in self.single if e.task == task]

    def directions(self) -> dict[str, str]:
        """Returns a dict from what is logged to its better direction."""
        found = {}
        for each in self.single:
            task, name = self._tasks_by_name[each.task], each.metric.name
            known = metric_direction(name) or direction_of(each.metric)
            if name == task.primary_metric:
                known = task.direction
            if known is not None:
                found[each.key] = known
        for metric in self.of_groups:
            known = metric_direction(metric.metric)
            found |= {key: known for key in metric.logged if known}
        return found

    def build_with(self, parts: Sequence[BatchPart]) -> None:
        """Makes the variables of metrics that wait for their first batch.

        Args:
            parts: The parts of a batch of any values.
        """
        self.needs_build = False
        single = _SingleParts(parts)
        for each in self.single:
            if waits_for_batch(each.metric):
                part = single[each.task]
                with keras.StatelessScope():
                    update_metric(
                        each.metric, part.task, part.targets, part.y_pred
                    )

    def update_state(self, y_true, y_pred, sample_weight=None) -> None:
        """Updates all metrics, in a step of one's own.

        Args:
            y_true: Dict from task name to targets of any allowed shape.
            y_pred: Dict from task name to predictions.
            sample_weight: `None`, weights of all tasks, or a dict of them.
        """
        self.update(self._parts_of(y_true, y_pred, sample_weight))

    def split_by(self, parts_of: Callable) -> None:
        """Sets the function by which `update_state` splits a batch.

        Args:
            parts_of: `TaskLosses.parts`.
        """
        self._parts_of = parts_of

    def reset_state(self) -> None:
        """Resets all metrics."""
        for metric in (*self.of_groups, *self._tracked):
            metric.reset_state()

    def result(self) -> dict:
        """Returns a dict from `<task>_<metric>` to a scalar."""
        results = {each.key: each.metric.result() for each in self.single}
        for metric in self.of_groups:
            results |= metric.result()
        return results


def _as_metrics(task: Task, given) -> list[keras.metrics.Metric]:
    if given is None:
        return []
    if not isinstance(given, list | tuple):
        given = [given]
    return [_as_metric(task, metric) for metric in given if metric is not None]


def _as_metric(task: Task, metric) -> keras.metrics.Metric:
    if metric == "acc":
        metric = "accuracy"
    if isinstance(metric, str) and metric in task.metric_names():
        return make_metric(task, metric)
    found = keras.metrics.get(metric)
    if isinstance(found, keras.metrics.Metric):
        return found
    name = getattr(found, "__name__", type(found).__name__)
    return keras.metrics.MeanMetricWrapper(found, name=name)


def _unique_keys(found: Sequence[tuple]) -> list[str]:
    """Names metrics as Keras does: a second one of a name gets a number."""
    keys, seen = [], Counter()
    for task, metric, weighted in found:
        key = f"{task.name}_{metric.name}"
        if weighted and seen[key]:
            key = f"{task.name}_weighted_{metric.name}"
        seen[key] += 1
        keys.append(key if seen[key] == 1 else f"{key}_{seen[key]}")
    return keys


def make_task_metrics(
    tasks: Sequence[Task],
    metrics: Mapping[str, Any],
    weighted_metrics: Mapping[str, Any],
    groups: Sequence[TaskGroup],
) -> TaskMetrics:
    """Makes the metrics of all tasks; those of equal tasks together.

    Args:
        tasks: The tasks of the model.
        metrics: Dict from task name to metrics; tasks that are not named have
            their own.
        weighted_metrics: See `TaskMetrics`.
        groups: Groups of tasks that are computed together.
    """
    of_groups, left = [], {}
    for group in groups:
        together = computed_together(group)
        of_groups.extend(together.values())
        alone = [name for name in group.metrics if name not in together]
        if group.metrics:
            left |= dict.fromkeys(group.names, alone)
    own = {
        task.name: left[task.name] if task.name in left else task.make_metrics()
        for task in tasks
        if task.name not in metrics
    }
    return TaskMetrics(tasks, {**own, **metrics}, weighted_metrics, of_groups)


class _SingleParts(dict):
    """Parts of single tasks, taken apart when they are asked for."""

    def __init__(self, parts: Sequence[BatchPart]):
        super().__init__()
        self._parts = {name: part for part in parts for name in part.names}

    def __missing__(self, name: str) -> BatchPart:
        self.update(self._parts[name].by_task())
        return self[name]


def update_metric(
    metric: keras.metrics.Metric,
    task: Task,
    targets: MaskedTargets,
    y_pred,
    weights=None,
) -> None:
    """Updates a metric with what is labelled in a batch.

    Args:
        metric: Any Keras metric that takes sample weights.
        task: Its task.
        targets: Targets with a valid value everywhere.
        y_pred: Predictions.
        weights: Sample weights, or `None`.
    """
    y_true, labelled = targets
    if not isinstance(metric, _OF_VALUES):
        y_true = _to_classes(task, y_true)
    if task.columns and _is_mean_over_columns(metric):
        y_true, y_pred = y_true[..., None], y_pred[..., None]
    elif task.columns and _compares_to_threshold(metric):
        y_true, y_pred = _without_missing(y_true, y_pred, labelled)
        labelled = None
    elif task.columns and not isinstance(metric, _WEIGHTED_BY_ELEMENT):
        labelled = to_rank(labelled, 1)  # rows without a missing label
    if labelled is not None:
        # Counts, as in a confusion matrix, are of integers in Keras.
        dtype = metric.dtype if weights is None else "float32"
        of_labels = ops.cast(labelled, dtype)
        if weights is not None:
            of_labels = of_labels * weights_of(weights, of_labels)
        weights = of_labels
    if weights is None:
        metric.update_state(y_true, y_pred)
        return
    if "sample_weight" not in inspect.signature(metric.update_state).parameters:
        raise TypeError(
            f"Task {task.name!r}: metric {metric.name!r} takes no "
            "sample_weight, so that missing labels cannot be left out. Give "
            "its update_state a sample_weight argument, or declare the task "
            "with complete_labels=True."
        )
    metric.update_state(y_true, y_pred, sample_weight=weights)


def _counts_elements(metric: keras.metrics.Metric) -> bool:
    """Returns whether a metric of several columns sees each element."""
    return (
        _is_mean_over_columns(metric)
        or _compares_to_threshold(metric)
        or isinstance(metric, _WEIGHTED_BY_ELEMENT)
    )


def _to_classes(task: Task, y_true):
    """Makes classes 0 and 1 of soft labels."""
    binary = task.target_kind == "binary"
    dtype = keras.backend.standardize_dtype(y_true.dtype)
    return (
        ops.cast(y_true >= 0.5, dtype)
        if binary and "float" in dtype
        else y_true
    )


def _with_classes(part: BatchPart) -> BatchPart:
    values = _to_classes(part.task, part.targets.values)
    return part._replace(targets=part.targets._replace(values=values))


def _compares_to_threshold(metric) -> bool:
    """Whether elements with label and prediction 0 leave a metric alone."""
    is_f_score = isinstance(metric, keras.metrics.FBetaScore)
    return is_f_score and metric.threshold is not None


def _without_missing(y_true, y_pred, labelled) -> tuple:
    """Makes missing elements true negatives, which an F score ignores."""
    if labelled is None:
        return y_true, y_pred
    return tuple(
        ops.where(labelled, values, ops.zeros_like(values))
        for values in (ops.cast(y_true, y_pred.dtype), y_pred)
    )


def _is_mean_over_columns(metric) -> bool:
    function = wrapped_function(metric)
    return function is not None and is_mean_over_columns(*function)
