"""The task metrics of a model, over the labelled elements."""

from __future__ import annotations

import inspect
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import keras
from keras import ops

from mtl_keras.keras_compat import (
    get_direction,
    waits_for_batch,
    wrapped_function,
)
from mtl_keras.losses.columns import is_mean_over_columns
from mtl_keras.metrics import F1Score
from mtl_keras.tasks import Task
from mtl_keras.tasks.groups import make_metric
from mtl_keras.tasks.metric_directions import metric_direction
from mtl_keras.training.data.masked_targets import MaskedTargets
from mtl_keras.training.losses.group_metric import GroupMetric
from mtl_keras.training.losses.loss_sums import broadcast_weights, reduce_mask
from mtl_keras.training.losses.make_group_metrics import make_group_metrics
from mtl_keras.training.losses.task_group_batch import TaskGroupBatch
from mtl_keras.training.losses.task_groups import TaskGroup

# Metrics that take one weight per output element.
_ELEMENT_METRICS = (
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
# Metrics that use soft labels as they are.
_VALUE_METRICS = (
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
        key: Name in the logs, `<task>_<metric>`.
        task: Name of the task.
        metric: The metric.
        weighted: Whether the metric receives sample weights.
    """

    key: str
    task: str
    metric: keras.metrics.Metric
    weighted: bool


class TaskMetrics(keras.metrics.Metric):
    """Computes the metrics of all tasks over the labelled elements.

    Args:
        tasks: The tasks of the model.
        metrics: Dict from task name to a metric or a list of metrics, each a
            `keras.metrics.Metric`, a name or a function.
        weighted_metrics: Like `metrics`, for metrics that receive sample
            weights.
        group_metrics: Metrics of task groups. Defaults to none.
    """

    def __init__(
        self,
        tasks: Sequence[Task],
        metrics: Mapping[str, Any],
        weighted_metrics: Mapping[str, Any],
        group_metrics: Sequence[GroupMetric] = (),
    ):
        super().__init__(name="task_metrics")
        self.group_metrics = list(group_metrics)
        self._tasks_by_name = {task.name: task for task in tasks}
        found = [
            (task, metric, weighted)
            for weighted, given in ((False, metrics), (True, weighted_metrics))
            for task in sorted(tasks, key=lambda task: task.name)
            for metric in _get_metrics(task, given.get(task.name))
        ]
        keys = _unique_keys(found)
        self.single_metrics = [
            TaskMetric(key, task.name, metric, weighted)
            for key, (task, metric, weighted) in zip(keys, found, strict=True)
        ]
        # In a list, Keras tracks the variables.
        self._tracked = [each.metric for each in self.single_metrics]
        # Whether a metric may still create variables.
        self.needs_build = any(map(waits_for_batch, self._tracked))

    def update(self, group_batches: Sequence[TaskGroupBatch]) -> None:
        """Updates all metrics with a batch.

        Only `weighted_metrics` receive sample weights, as in Keras.

        Args:
            group_batches: The batch, split by task.
        """
        for metric in self.group_metrics:
            selected = [b for b in group_batches if b.names[0] in metric.tasks]
            if not metric.compares_values:
                selected = [_use_class_labels(batch) for batch in selected]
            metric.update_state(selected)
        task_batches = _TaskBatches(group_batches)
        for each in self.single_metrics:
            batch = task_batches[each.task]
            update_metric(
                each.metric,
                batch.task,
                batch.targets,
                batch.y_pred,
                batch.sample_weight if each.weighted else None,
            )

    def sample_metric_names(self, task: Task) -> list[str]:
        """Lists the metrics of a task that use only fully labelled samples.

        Args:
            task: A task whose columns have separate labels.
        """
        return [
            each.metric.name
            for each in self.single_metrics
            if each.task == task.name and not _counts_elements(each.metric)
        ]

    def names(self) -> list[str]:
        """Lists the names of the logs, `<task>_<metric>`."""
        single = [each.key for each in self.single_metrics]
        return single + [n for m in self.group_metrics for n in m.log_names]

    def names_of_task(self, task: str) -> list[str]:
        """Lists the names of the metrics of a task.

        Args:
            task: Name of the task.
        """
        grouped = [m.metric for m in self.group_metrics if task in m.tasks]
        single = [e.metric.name for e in self.single_metrics if e.task == task]
        return grouped + single

    def directions(self) -> dict[str, str]:
        """Returns a dict from log name to `"min"` or `"max"`."""
        directions = {}
        for each in self.single_metrics:
            task, name = self._tasks_by_name[each.task], each.metric.name
            direction = metric_direction(name) or get_direction(each.metric)
            if name == task.primary_metric:
                direction = task.direction
            if direction is not None:
                directions[each.key] = direction
        for metric in self.group_metrics:
            direction = metric_direction(metric.metric)
            if direction is not None:
                directions |= dict.fromkeys(metric.log_names, direction)
        return directions

    def build_variables(self, group_batches: Sequence[TaskGroupBatch]) -> None:
        """Creates the variables of metrics that need a batch for it.

        Args:
            group_batches: A batch with any values, split by task.
        """
        self.needs_build = False
        task_batches = _TaskBatches(group_batches)
        for each in self.single_metrics:
            if waits_for_batch(each.metric):
                batch = task_batches[each.task]
                with keras.StatelessScope():
                    update_metric(
                        each.metric, batch.task, batch.targets, batch.y_pred
                    )

    def update_state(self, y_true, y_pred, sample_weight=None) -> None:
        """Updates all metrics in a custom step.

        Args:
            y_true: Dict from task name to targets of any allowed shape.
            y_pred: Dict from task name to predictions.
            sample_weight: `None`, an array for all tasks, or a dict from task
                name to array. Defaults to `None`.
        """
        self.update(self._split_batch(y_true, y_pred, sample_weight))

    def set_batch_splitter(self, split_batch: Callable) -> None:
        """Sets the function that `update_state` splits a batch with.

        Args:
            split_batch: `TaskLosses.split_batch`.
        """
        self._split_batch = split_batch

    def reset_state(self) -> None:
        """Resets all metrics."""
        for metric in (*self.group_metrics, *self._tracked):
            metric.reset_state()

    def result(self) -> dict:
        """Returns a dict from `<task>_<metric>` to a scalar."""
        results = {
            each.key: each.metric.result() for each in self.single_metrics
        }
        for metric in self.group_metrics:
            results |= metric.result()
        return results


def _get_metrics(task: Task, given) -> list[keras.metrics.Metric]:
    if given is None:
        return []
    if not isinstance(given, list | tuple):
        given = [given]
    return [_get_metric(task, metric) for metric in given if metric is not None]


def _get_metric(task: Task, metric) -> keras.metrics.Metric:
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
    """Creates unique log names; as in Keras, duplicates get a number."""
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
    """Creates the metrics of all tasks.

    Args:
        tasks: The tasks of the model.
        metrics: Dict from task name to metrics. Tasks that are not named keep
            their default metrics.
        weighted_metrics: See `TaskMetrics`.
        groups: Groups of tasks that are computed together.
    """
    group_metrics, remaining = [], {}
    for group in groups:
        together = make_group_metrics(group)
        group_metrics.extend(together.values())
        separate = [name for name in group.metrics if name not in together]
        if group.metrics:
            remaining |= dict.fromkeys(group.names, separate)
    defaults = {
        task.name: remaining[task.name]
        if task.name in remaining
        else task.make_metrics()
        for task in tasks
        if task.name not in metrics
    }
    return TaskMetrics(
        tasks, {**defaults, **metrics}, weighted_metrics, group_metrics
    )


class _TaskBatches(dict):
    """A dict from task name to batch that splits group batches on demand."""

    def __init__(self, group_batches: Sequence[TaskGroupBatch]):
        super().__init__()
        self._group_batches = {
            name: batch for batch in group_batches for name in batch.names
        }

    def __missing__(self, name: str) -> TaskGroupBatch:
        self.update(self._group_batches[name].by_task())
        return self[name]


def update_metric(
    metric: keras.metrics.Metric,
    task: Task,
    targets: MaskedTargets,
    y_pred,
    weights=None,
) -> None:
    """Updates a metric with the labelled elements of a batch.

    Args:
        metric: A Keras metric that takes sample weights.
        task: The task of the metric.
        targets: Masked targets.
        y_pred: Predictions.
        weights: Sample weights, or `None`. Defaults to `None`.

    Raises:
        TypeError: If labels are missing and the metric takes no sample
            weights.
    """
    y_true, labelled = targets
    if not isinstance(metric, _VALUE_METRICS):
        y_true = _to_class_labels(task, y_true)
    if task.columns and _is_mean_over_columns(metric):
        y_true, y_pred = y_true[..., None], y_pred[..., None]
    elif task.columns and _compares_to_threshold(metric):
        y_true, y_pred = _without_missing(y_true, y_pred, labelled)
        labelled = None
    elif task.columns and not isinstance(metric, _ELEMENT_METRICS):
        labelled = reduce_mask(labelled, 1)  # fully labelled samples
    if labelled is not None:
        # In Keras, counts such as a confusion matrix have an integer dtype.
        dtype = metric.dtype if weights is None else "float32"
        label_weights = ops.cast(labelled, dtype)
        if weights is not None:
            label_weights = label_weights * broadcast_weights(
                weights, label_weights
            )
        weights = label_weights
    if weights is None:
        metric.update_state(y_true, y_pred)
        return
    if "sample_weight" not in inspect.signature(metric.update_state).parameters:
        raise TypeError(
            f"Task {task.name!r}: metric {metric.name!r} takes no "
            "sample_weight, so missing labels cannot be masked. Add a "
            "sample_weight argument to its update_state, or declare the task "
            "with complete_labels=True."
        )
    metric.update_state(y_true, y_pred, sample_weight=weights)


def _counts_elements(metric: keras.metrics.Metric) -> bool:
    """Returns whether a metric counts each element of several columns."""
    return (
        _is_mean_over_columns(metric)
        or _compares_to_threshold(metric)
        or isinstance(metric, _ELEMENT_METRICS)
    )


def _to_class_labels(task: Task, y_true):
    """Converts soft labels of binary tasks to the classes 0 and 1."""
    binary = task.target_kind == "binary"
    dtype = keras.backend.standardize_dtype(y_true.dtype)
    return (
        ops.cast(y_true >= 0.5, dtype)
        if binary and "float" in dtype
        else y_true
    )


def _use_class_labels(batch: TaskGroupBatch) -> TaskGroupBatch:
    values = _to_class_labels(batch.task, batch.targets.values)
    return batch._replace(targets=batch.targets._replace(values=values))


def _compares_to_threshold(metric) -> bool:
    """Returns whether a metric ignores elements of label and prediction 0."""
    is_f_score = isinstance(metric, keras.metrics.FBetaScore)
    return is_f_score and metric.threshold is not None


def _without_missing(y_true, y_pred, labelled) -> tuple:
    """Turns missing elements into true negatives, which F scores ignore."""
    if labelled is None:
        return y_true, y_pred
    return tuple(
        ops.where(labelled, values, ops.zeros_like(values))
        for values in (ops.cast(y_true, y_pred.dtype), y_pred)
    )


def _is_mean_over_columns(metric) -> bool:
    function = wrapped_function(metric)
    return function is not None and is_mean_over_columns(*function)
