"""Predictions of a model, decoded to labels for each task."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping

import numpy as np

from mtl_keras.spelling import did_you_mean
from mtl_keras.tasks import Task


@dataclasses.dataclass(frozen=True)
class TaskPrediction:
    """Predicted and true labels of one task.

    Args:
        task: The task.
        predicted: Array with the batch axis first: a class for each sample,
            step or pixel; 0 or 1 for binary tasks and for each label; numbers
            of shape `(batch, units)` for a regression, and of shape `(batch,
            height, width, units)` for a dense one.
        confidence: Probability of each predicted label, of the same shape;
            `None` for a regression.
        true: The targets in the form of `predicted`, or `None`. A missing
            class is -1, a missing number NaN.
    """

    task: Task
    predicted: np.ndarray
    confidence: np.ndarray | None
    true: np.ndarray | None


def read_predictions(
    model, x, y: Mapping | None = None, *, batch_size: int = 32
) -> list[TaskPrediction]:
    """Predicts, and decodes the output of each task to labels.

    Logits (`activation=None`) become probabilities first, and one-hot targets
    become classes.

    Args:
        model: A `MultiTaskModel`.
        x: Inputs, as `model.predict` takes them.
        y: Dict from task name to targets, for some or all tasks. Defaults to
            `None`.
        batch_size: Samples per batch. Defaults to `32`.

    Returns:
        A `TaskPrediction` for each task, in the order of `model.tasks`.

    Raises:
        TypeError: If the model has no tasks, or `y` is not a dict.
        ValueError: If `y` names a task that the model does not have.

    Example:

    ```python
    for each in mtl_keras.evaluation.read_predictions(model, x):
        print(each.task.name, each.predicted[0])
    ```
    """
    check_has_tasks(model)
    tasks = model.tasks
    if y is not None and not isinstance(y, Mapping):
        raise TypeError(
            f"y is a {type(y).__name__}; expected a dict from task name to "
            "targets, or None."
        )
    known = [task.name for task in tasks]
    for name in y or {}:
        if name not in known:
            raise ValueError(
                f"y names {name!r}, which is not a task of the model. "
                f"{did_you_mean(name, known)}"
            )
    outputs = model.predict(x, batch_size=batch_size, verbose=0)
    return [
        _decode(task, outputs[task.name], (y or {}).get(task.name))
        for task in tasks
    ]


def check_has_tasks(model) -> None:
    """Raises a `TypeError` unless a model has tasks.

    Args:
        model: The value to check.
    """
    if not getattr(model, "tasks", None):
        raise TypeError(
            f"model is a {type(model).__name__} without tasks; expected a "
            "MultiTaskModel, such as mtl_keras.build_mlp() returns."
        )


def _decode(task: Task, output: np.ndarray, targets) -> TaskPrediction:
    predicted, confidence = task.decode(output)
    true = None
    if targets is not None:
        true = task.decode_targets(np.asarray(targets), output)
    return TaskPrediction(task, predicted, confidence, true)
