"""Weights of samples by their class, for each task."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import keras
import numpy as np
from keras import ops

from mtl_keras.losses.class_targets import is_one_hot
from mtl_keras.tasks import Task
from mtl_keras.training.data.by_task import by_task


def check_class_weights(
    class_weight, tasks: Sequence[Task]
) -> dict[str, np.ndarray]:
    """Checks class weights, and lays them out by class.

    Args:
        class_weight: Dict from task name to a dict from class to weight.
            Classes and tasks that it leaves out have weight 1. For one task,
            the dict from class to weight will do.
        tasks: The tasks of the model.

    Returns:
        Dict from task name to an array of one weight for each class.

    Raises:
        TypeError: If a weight is no number, or the form is another one.
        ValueError: If a name is no task's, a class out of range, a weight
            negative, or a task has no classes.
    """
    if len(tasks) == 1 and class_weight and tasks[0].name not in class_weight:
        class_weight = {tasks[0].name: class_weight}
    given = by_task("class_weight", class_weight, tasks)
    return {
        task.name: _table(task, given[task.name])
        for task in tasks
        if given.get(task.name)
    }


def _table(task: Task, weights: Mapping) -> np.ndarray:
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


def weights_of_classes(table: np.ndarray, y_true, y_pred):
    """Looks the weight of each label up.

    Args:
        table: A weight for each class.
        y_true: Targets with a valid value everywhere: class ids (in any
            dtype), one-hot, or soft labels of a binary task, whose weight lies
            between those of the classes.
        y_pred: Predictions.

    Returns:
        A float32 tensor of the shape of the labels.
    """
    if len(table) == y_pred.shape[-1] and is_one_hot(y_true, y_pred):
        return ops.matmul(ops.cast(y_true, "float32"), table[:, None])[..., 0]
    dtype = keras.backend.standardize_dtype(y_true.dtype)
    if len(table) == 2 and "float" in dtype:
        y_true = ops.cast(y_true, "float32")
        return table[0] * (1.0 - y_true) + table[1] * y_true
    return ops.take(table, ops.cast(y_true, "int32"), axis=0)
