"""The metrics of a model by task, over what is labelled.

Keras leaves the task's name out of the logs of a single output; here one task
is logged as several are.

`CompileMetrics` is not public: `tests/training/losses/test_task_metrics.py`
says when Keras changes what is overridden.
"""

from __future__ import annotations

import inspect
from collections.abc import Mapping, Sequence

import keras
from keras import ops
from keras.src.trainers.compile_utils import CompileMetrics

from mtl_keras import metrics as own_metrics
from mtl_keras.losses.columns import is_mean_over_columns
from mtl_keras.tasks import Task
from mtl_keras.training.data.filled_targets import FilledTargets
from mtl_keras.training.losses.loss_sums import to_rank, weights_of
from mtl_keras.training.losses.output_rank import to_elements, to_output_rank

# Metrics that take a weight for each column of an output.
_WEIGHTED_BY_COLUMN = (
    keras.metrics.R2Score,
    keras.metrics.RootMeanSquaredError,
    own_metrics.F1Score,
)


class TaskMetrics(CompileMetrics):
    """Keras's metrics by task, which can leave out what is not labelled."""

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

    def update_labelled(
        self,
        tasks: Sequence[Task],
        targets: Mapping[str, FilledTargets],
        y_pred: Mapping,
        weights: Mapping,
    ) -> None:
        """Updates all metrics with a batch.

        Args:
            tasks: The tasks.
            targets: Targets by task name, whose holes are filled.
            y_pred: Predictions by task name.
            weights: Sample weights by task name; `None` for a task that has
                none. They count for `weighted_metrics` alone, as in Keras.
        """
        by_name = {task.name: task for task in tasks}
        for flat, weighted in (
            (self._flat_metrics, False),
            (self._flat_weighted_metrics, True),
        ):
            for name, of_task in zip(self.output_names, flat, strict=True):
                for metric in of_task.metrics if of_task else ():
                    update_metric(
                        metric,
                        by_name[name],
                        targets[name],
                        y_pred[name],
                        weights[name] if weighted else None,
                    )


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
