"""Better directions of the metrics of all kinds of tasks."""

from __future__ import annotations

_DIRECTIONS = {
    "accuracy": "max",
    "auc": "max",
    "balanced_accuracy": "max",
    "decoded_span_f1": "max",
    "dice": "max",
    "f1": "max",
    "iou": "max",
    "loss": "min",
    "mae": "min",
    "mean_iou": "max",
    "mse": "min",
    "r2": "max",
    "rmse": "min",
    "span_f1": "max",
}


def metric_direction(metric: str) -> str | None:
    """Returns the better direction of a metric.

    Args:
        metric: Name of a metric of any kind of task, or `"loss"`, without the
            name of the task.

    Returns:
        `"min"`, `"max"`, or `None` for a custom metric.

    Example:

    >>> from mtl_keras.tasks.metric_directions import metric_direction
    >>> metric_direction("rmse"), metric_direction("lift")
    ('min', None)
    """
    return _DIRECTIONS.get(metric)


def split_metric(name: str) -> tuple[str, str] | None:
    """Splits `<task>_<metric>` if the metric is known.

    Args:
        name: Name of a log, without `val_`.

    Returns:
        The task and the metric, or `None` if the metric is not known.

    Example:

    >>> from mtl_keras.tasks.metric_directions import split_metric
    >>> split_metric("right_eye_mean_iou")
    ('right_eye', 'mean_iou')
    """
    for metric in sorted(_DIRECTIONS, key=len, reverse=True):
        task = name.removesuffix(f"_{metric}")
        if task and task != name:
            return task, metric
    return None
