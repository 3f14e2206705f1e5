"""Class weights by task."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import keras
import numpy as np
from keras import ops

from mtl_keras.losses.class_targets import is_one_hot
from mtl_keras.tasks import Task
from mtl_keras.training.data.task_arguments import to_task_dict


def check_class_weights(
    class_weight, tasks: Sequence[Task]
) -> dict[str, np.ndarray]:
    """Checks class weights and converts them to arrays.

    Args:
        class_weight: Dict from task name to a dict from class to weight.
            Other classes and tasks have weight 1. With one task also its dict
            from class to weight.
        tasks: The tasks of the model.

    Returns:
        Dict from task name to an array of shape `(classes,)`.

    Raises:
        TypeError: If `class_weight` is not such a dict, or a weight is not a
            number.
        ValueError: If a task is unknown or has no classes, a class is out of
            range, or a weight is negative.
    """
    if len(tasks) == 1 and class_weight and tasks[0].name not in class_weight:
        class_weight = {tasks[0].name: class_weight}
    given = to_task_dict("class_weight", class_weight, tasks)
    return {
        task.name: _make_table(task, given[task.name])
        for task in tasks
        if given.get(task.name)
    }


def _make_table(task: Task, weights: Mapping) -> np.ndarray:
    count = task.num_label_classes
    if count is None:
        raise ValueError(
            f"class_weight names task {task.name!r}, a regression, which has "
            "no classes. Weight its samples with sample_weight instead."
        )
    if not isinstance(weights, Mapping):
        raise TypeError(
            f"class_weight[{task.name!r}] is {weights!r}; expected a dict from "
            "class to weight, such as {0: 1.0, 1: 5.0}."
        )
    table = np.ones(count, "float32")
    for label, weight in weights.items():
        if label not in range(count):
            raise ValueError(
                f"class_weight[{task.name!r}] names class {label!r}; expected "
                f"integers from 0 to {count - 1}."
            )
        if not isinstance(weight, int | float | np.number):
            raise TypeError(
                f"class_weight[{task.name!r}][{label}] is {weight!r}; expected "
                "a number."
            )
        if not math.isfinite(weight) or weight < 0:
            raise ValueError(
                f"class_weight[{task.name!r}][{label}] is {weight!r}; expected "
                "a finite number of 0 or more."
            )
        table[int(label)] = weight
    return table


def gather_class_weights(table: np.ndarray, y_true, y_pred):
    """Gathers the class weight of each label.

    Args:
        table: Array of shape `(classes,)`.
        y_true: Targets without missing labels: class ids (in any dtype),
            one-hot, or soft labels of a binary task, whose weight is
            interpolated.
        y_pred: Predictions.

    Returns:
        A float32 tensor with the shape of the labels.
    """
    if len(table) == y_pred.shape[-1] and is_one_hot(y_true, y_pred):
        return ops.matmul(ops.cast(y_true, "float32"), table[:, None])[..., 0]
    dtype = keras.backend.standardize_dtype(y_true.dtype)
    if len(table) == 2 and "float" in dtype:
        y_true = ops.cast(y_true, "float32")
        return table[0] * (1.0 - y_true) + table[1] * y_true
    return ops.take(table, ops.cast(y_true, "int32"), axis=0)
