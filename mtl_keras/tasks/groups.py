"""Which tasks are alike, so that they can be computed together."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Hashable

import keras

from mtl_keras.tasks.task import Task

# From so many equal tasks on they are computed together; fewer are not worth
# a step of our own (`benchmarks/studies/sharing.py`).
LEAST_TASKS = 8
# What tells tasks of one kind apart without changing what is computed.
_OF_ONE_TASK = {
    "name",
    "loss",
    "loss_weight",
    "metrics",
    "primary_metric",
    "direction",
    "class_names",
}
# What acts on a variable as a whole would act on all tasks at once.
_OF_WHOLE_VARIABLES = (
    "kernel_regularizer",
    "bias_regularizer",
    "activity_regularizer",
    "kernel_constraint",
    "bias_constraint",
    "lora_rank",
    "quantization_mode",
)


def kind_of(task: Task) -> Hashable:
    """What tasks that can be computed together have in common.

    Args:
        task: A task.

    Returns:
        Something to compare: the class of the task and those of its
        arguments that say what is computed.
    """
    config = {
        field.name: keras.saving.serialize_keras_object(
            getattr(task, field.name)
        )
        for field in dataclasses.fields(task)
        if field.name not in _OF_ONE_TASK
    }
    return type(task), json.dumps(config, sort_keys=True, default=str)


def dense_head(task: Task) -> keras.layers.Dense | None:
    """Makes the layer that a head consists of, if it is a plain dense one.

    Args:
        task: A task.

    Returns:
        A `keras.layers.Dense` that several of can be computed together, or
        `None` where the head is something else.
    """
    if type(task).head is not Task.head or task.feature_rank != 2:
        return None
    layer = task._head_layer()
    if type(layer) is not keras.layers.Dense:
        return None
    if any(getattr(layer, name, None) for name in _OF_WHOLE_VARIABLES):
        return None
    # Of Keras's own it is known that they look at the last axis at most.
    known = getattr(layer.activation, "__module__", "").startswith("keras.")
    return layer if known else None


def make_metric(task: Task, name: str) -> keras.metrics.Metric:
    """Makes one of the metrics that the kind of a task has.

    Args:
        task: A task.
        name: One of its `metric_names()`.
    """
    return task._metric_makers()[name](name)
