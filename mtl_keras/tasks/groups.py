"""Tasks that are equal enough to be computed together."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Hashable

import keras

from mtl_keras.tasks.task import Task

# Smaller groups gain nothing (`benchmarks/studies/sharing.py`).
MIN_GROUP_SIZE = 8
# Tasks of a group may differ in these: they do not change the computation.
_IGNORED_FIELDS = {
    "name",
    "loss",
    "loss_weight",
    "metrics",
    "primary_metric",
    "direction",
    "class_names",
}
# These act on a whole variable, and so would act on all tasks at once.
_WHOLE_VARIABLE_ARGUMENTS = (
    "kernel_regularizer",
    "bias_regularizer",
    "activity_regularizer",
    "kernel_constraint",
    "bias_constraint",
    "lora_rank",
    "quantization_mode",
)


def group_key(task: Task) -> Hashable:
    """Returns a key that is equal for tasks that can be computed together.

    Args:
        task: A task.

    Returns:
        The class of the task, and those of its arguments that change the
        computation.
    """
    config = {
        field.name: keras.saving.serialize_keras_object(
            getattr(task, field.name)
        )
        for field in dataclasses.fields(task)
        if field.name not in _IGNORED_FIELDS
    }
    return type(task), json.dumps(config, sort_keys=True, default=str)


def dense_head(task: Task) -> keras.layers.Dense | None:
    """Creates the head layer of a task, if it is a plain `Dense`.

    Args:
        task: A task.

    Returns:
        A `keras.layers.Dense` that can be computed together with others, or
        `None` if the head is anything else.
    """
    if type(task).head is not Task.head or task.feature_rank != 2:
        return None
    layer = task._head_layer()
    if type(layer) is not keras.layers.Dense:
        return None
    if any(getattr(layer, name, None) for name in _WHOLE_VARIABLE_ARGUMENTS):
        return None
    # A custom activation may mix the tasks of a group.
    known = getattr(layer.activation, "__module__", "").startswith("keras.")
    return layer if known else None


def make_metric(task: Task, name: str) -> keras.metrics.Metric:
    """Creates a metric of a task.

    Args:
        task: A task.
        name: One of its `metric_names()`.
    """
    return task._metric_makers()[name](name)
