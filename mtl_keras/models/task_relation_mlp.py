"""Shared trunk, and heads that learn how the tasks are related."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Unpack

import keras

from mtl_keras import trunks
from mtl_keras.layers import TaskRelationDense
from mtl_keras.models import arguments
from mtl_keras.models.build_model import ModelOptions, build_model
from mtl_keras.models.default_tasks import left_and_right
from mtl_keras.models.factory import factory
from mtl_keras.models.inputs import vector_inputs
from mtl_keras.models.trunk_sizes import resolve_hidden_units
from mtl_keras.tasks import Task
from mtl_keras.training import MultiTaskModel


@factory("vectors", search_space={"penalty": [0.001, 0.01, 0.1]})
def build_task_relation_mlp(
    input_shape: Sequence[int] = (784,),
    tasks: Sequence[Task] | None = None,
    *,
    num_classes: int | None = None,
    hidden_units: Sequence[int] | None = None,
    trunk_width: int | None = None,
    trunk_depth: int | None = None,
    form: str = "trace",
    penalty: float = 0.01,
    activation: str = "relu",
    normalization: str | None = None,
    dropout: float = 0.0,
    l1: float = 0.0,
    l2: float = 0.0,
    preprocessing: keras.layers.Layer | Sequence | None = None,
    name: str = "task_relation_mlp",
    **options: Unpack[ModelOptions],
) -> MultiTaskModel:
    """Builds a shared trunk, and heads that learn how the tasks are related.

    With the kernels of the heads as columns of W, the loss gets one of two
    penalties: `penalty * tr(W Omega^-1 W^T)`, where Omega is the covariance of
    the tasks in closed form, or `penalty * ||W||_F^2`, with a trainable matrix
    that mixes the outputs of the heads. See
    `mtl_keras.layers.TaskRelationDense`.
    `model.get_layer("task_relation").relations` shows the matrix, with rows
    and columns in the order of the tasks.

    Args:
        tasks: List of tasks whose outputs have the same width. Defaults to
            `Classification("left", 10)` and `Classification("right", 10)`.
        hidden_units: Width of each hidden layer of the trunk. Defaults to
            `(64,)`.
        form: `"trace"` for a covariance of the tasks, or `"matrix"` for a
            trainable matrix. Defaults to `"trace"`.
        penalty: Factor of the penalty, 0 or more. Defaults to `0.01`.

    Reference:
        Zhang and Yeung, "A Convex Formulation for Learning Task Relationships
        in Multi-Task Learning", UAI 2010.

    Example:

    >>> model = mtl_keras.build_task_relation_mlp((20,))
    >>> covariance = model.get_layer("task_relation").relations
    >>> covariance.shape
    (2, 2)
    >>> round(float(covariance.trace()), 4)
    1.0
    """
    shape = arguments.check_vector_shape(input_shape)
    tasks = arguments.resolve_tasks(
        tasks, left_and_right, num_classes=num_classes
    )
    widths = resolve_hidden_units(
        hidden_units, trunk_width, trunk_depth, default=(64,)
    )
    settings = arguments.dense_settings(
        activation, normalization, dropout, l1, l2
    )

    inputs, x = vector_inputs(shape, preprocessing)
    x = trunks.mlp(x, widths, **settings)
    outputs = _related_heads(x, tasks, form, penalty)
    return build_model(inputs, outputs, tasks, name, **options)


def _related_heads(x, tasks: Sequence[Task], form: str, penalty: float) -> dict:
    shapes = {task.name: task.head(x).shape[1:] for task in tasks}
    first, *others = shapes
    for name in others:
        if shapes[name] != shapes[first]:
            raise ValueError(
                f"Task {first!r} has an output of {shapes[first][-1]} and "
                f"{name!r} one of {shapes[name][-1]}. Heads must have the same "
                "width to be related: change the tasks, or use build_mlp."
            )
    related = TaskRelationDense(
        shapes[first][-1],
        len(tasks),
        form,
        penalty,
        # Heads compute in float32 under mixed precision too.
        dtype="float32",
        name="task_relation",
    )
    return {
        task.name: keras.layers.Activation(
            task.activation or "linear", dtype="float32", name=task.name
        )(related(x, task=index))
        for index, task in enumerate(tasks)
    }
