"""The metrics of a model by task, over what is labelled.

Keras leaves the task's name out of the logs of a single output; here one task
is logged as several are.

`CompileMetrics` is not public: `tests/training/losses/test_task_metrics.py`
says when Keras changes what is overridden.
"""

from __future__ import annotations

import inspect
from collections.abc import Sequence

import keras
from keras import ops
from keras.src.trainers.compile_utils import CompileMetrics

from mtl_keras import metrics as own_metrics
from mtl_keras.losses.columns import is_mean_over_columns
from mtl_keras.tasks import Task
from mtl_keras.training.data.filled_targets import FilledTargets
from mtl_keras.training.losses.batch_parts import BatchPart
from mtl_keras.training.losses.group_metric import GroupMetric
from mtl_keras.training.losses.loss_sums import to_rank, weights_of
from mtl_keras.training.losses.output_rank import to_elements, to_output_rank

# Metrics that take a weight for each column of an output.
_WEIGHTED_BY_COLUMN = (
    keras.metrics.R2Score,
    keras.metrics.RootMeanSquaredError,
    own_metrics.F1Score,
)


class TaskMetrics(CompileMetrics):
    """Keras's metrics by task, which can leave out what is not labelled.

    Args:
        metrics: Dict from task name to a list of metrics.
        weighted_metrics: Likewise, or `None`.
        output_names: Names of the model's outputs.
        of_groups: Metrics of tasks that are computed together.
    """

    def __init__(
        self,
        metrics,
        weighted_metrics,
        output_names,
        of_groups: Sequence[GroupMetric] = (),
    ):
        super().__init__(metrics, weighted_metrics, output_names=output_names)
        self._of_groups = list(of_groups)

    @property
    def metrics(self) -> list[keras.metrics.Metric]:
        """Metrics of single tasks, and of groups of them."""
        return [*super().metrics, *self._of_groups]

    def reset_state(self) -> None:
        """Resets all metrics."""
        super().reset_state()
        for metric in self._of_groups:
            metric.reset_state()

    def result(self) -> dict:
        """Returns a dict from `<task>_<metric>` to a scalar."""
        results = super().result()
        for metric in self._of_groups:
            results |= metric.result()
        return results

    def _build_metrics_set(
        self, metrics, num_outputs, output_names, *args, **kwargs
    ):
        built = super()._build_metrics_set(
            metrics, num_outputs, output_names, *args, **kwargs
        )
        if num_outputs == 1:
            for of_output in built:
                if of_output:
                    of_output.output_name = output_names[0]
        return built

    def update_state(self, y_true, y_pred, sample_weight=None):
        """Updates all metrics with a batch of complete labels, as in Keras."""
        super().update_state(
            to_output_rank(y_true, y_pred),
            y_pred,
            to_elements(sample_weight, y_pred),
        )

    def update_labelled(self, parts: Sequence[BatchPart]) -> None:
        """Updates all metrics with a batch.

        Sample weights count for `weighted_metrics` alone, as in Keras.

        Args:
            parts: The parts of the batch.
        """
        for metric in self._of_groups:
            metric.update_state(
                [p for p in parts if p.names[0] in metric.tasks]
            )
        single = _SingleParts(parts)
        for flat, weighted in (
            (self._flat_metrics, False),
            (self._flat_weighted_metrics, True),
        ):
            for name, of_task in zip(self.output_names, flat, strict=True):
                for metric in of_task.metrics if of_task else ():
                    part = single[name]
                    update_metric(
                        metric,
                        part.task,
                        part.targets,
                        part.y_pred,
                        part.sample_weight if weighted else None,
                    )


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
    targets: FilledTargets,
    y_pred,
    weights=None,
) -> None:
    """Updates a metric with what is labelled in a batch.

    Args:
        metric: Any Keras metric that takes sample weights.
        task: Its task.
        targets: Targets whose holes are filled.
        y_pred: Predictions.
        weights: Sample weights, or `None`.
    """
    y_true, labelled = targets
    if task.columns and _is_mean_over_columns(metric):
        y_true, y_pred = y_true[..., None], y_pred[..., None]
    elif task.columns and not _takes_column_weights(metric):
        labelled = to_rank(labelled, 1)  # rows without a hole
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


def _is_mean_over_columns(metric) -> bool:
    return isinstance(metric, keras.metrics.MeanMetricWrapper) and (
        is_mean_over_columns(metric._fn, metric._fn_kwargs)
    )


def _takes_column_weights(metric) -> bool:
    if isinstance(metric, keras.metrics.AUC):
        return metric.multi_label
    return isinstance(metric, _WEIGHTED_BY_COLUMN)
