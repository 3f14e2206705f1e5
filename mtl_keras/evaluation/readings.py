"""Turns outputs and targets into what they say: classes, masks, numbers."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping

import numpy as np

from mtl_keras.spelling import did_you_mean
from mtl_keras.tasks import (
    BinaryClassification,
    Classification,
    MultiLabelClassification,
    Segmentation,
    Task,
)


@dataclasses.dataclass(frozen=True)
class Reading:
    """What a model says of one task, and what is true.

    Args:
        task: The task.
        predicted: Array with the batch axis first: a class for each sample,
            step or pixel; 0 or 1 for binary tasks and for each label;
            numbers of shape `(batch, units)` for a regression, and of shape
            `(batch, height, width, units)` for a dense one.
        confidence: Probability of what was predicted, of the same shape;
            `None` for a regression.
        true: The targets in the form of `predicted`, or `None`.
    """

    task: Task
    predicted: np.ndarray
    confidence: np.ndarray | None
    true: np.ndarray | None


def read_predictions(
    model, x, y: Mapping | None = None, *, batch_size: int = 32
) -> list[Reading]:
    """Predicts, and reads every output as its task means it.

    Outputs that are logits (`activation=None`) become probabilities first,
    and one-hot targets become classes.

    Args:
        model: A `MultiTaskModel`.
        x: Inputs, as `model.predict` takes them.
        y: Dict from task name to targets, for some or all tasks, or `None`.
        batch_size: Samples per batch. Defaults to `32`.

    Returns:
        A `Reading` for each task, in the order of `model.tasks`.

    Raises:
        TypeError: If the model has no tasks, or `y` is no dict.
        ValueError: If `y` names a task that the model does not have.

    Example:

    ```python
    for reading in mtl_keras.evaluation.read_predictions(model, x):
        print(reading.task.name, reading.predicted[0])
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
                f"y names {name!r}, which is no task of the model. "
                f"{did_you_mean(name, known)}"
            )
    outputs = model.predict(x, batch_size=batch_size, verbose=0)
    return [
        _read(task, outputs[task.name], (y or {}).get(task.name))
        for task in tasks
    ]


def check_has_tasks(model) -> None:
    """Raises a `TypeError` unless a model has tasks.

    Args:
        model: What should be a `MultiTaskModel`.
    """
    if not getattr(model, "tasks", None):
        raise TypeError(
            f"model is a {type(model).__name__} without tasks; expected a "
            "MultiTaskModel, such as mtl_keras.build_mlp() returns."
        )


def is_one_class_per_sample(task: Task) -> bool:
    """Tells whether a task predicts one class for each sample.

    Args:
        task: Any task.
    """
    # A tag per step is a Classification too, of features of rank 3.
    return (
        isinstance(task, BinaryClassification | Classification)
        and task.feature_rank == 2
    )


def _read(task: Task, output: np.ndarray, target) -> Reading:
    target = None if target is None else np.asarray(target)
    if isinstance(task, Classification) or (
        isinstance(task, Segmentation) and task.num_classes > 1
    ):
        probabilities = _softmax(output) if task.from_logits else output
        return Reading(
            task,
            probabilities.argmax(axis=-1),
            probabilities.max(axis=-1),
            _classes(target, output),
        )
    if isinstance(
        task, BinaryClassification | MultiLabelClassification | Segmentation
    ):
        return _read_binary(task, output, target)
    if target is not None:
        target = target.reshape(output.shape)
    return Reading(task, output, None, target)


def _read_binary(task: Task, output: np.ndarray, target) -> Reading:
    probability = _sigmoid(output) if task.from_logits else output
    if not isinstance(task, MultiLabelClassification):
        probability = probability[..., 0]
    predicted = (probability > 0.5).astype("int32")
    confidence = np.where(predicted == 1, probability, 1 - probability)
    if target is not None:
        target = target.reshape(predicted.shape).astype("int32")
    return Reading(task, predicted, confidence, target)


def _classes(target, output: np.ndarray):
    """Integer classes of the output's shape without its last axis."""
    if target is None:
        return None
    if target.shape == output.shape:
        return target.argmax(axis=-1)
    return target.reshape(output.shape[:-1]).astype("int32")


def _softmax(logits: np.ndarray) -> np.ndarray:
    exponentials = np.exp(logits - logits.max(axis=-1, keepdims=True))
    return exponentials / exponentials.sum(axis=-1, keepdims=True)


def _sigmoid(logits: np.ndarray) -> np.ndarray:
    return 0.5 * (1 + np.tanh(0.5 * logits))  # never overflows
