"""Multilayer perceptron with one shared trunk."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Unpack

import keras

from mtl_keras import trunks
from mtl_keras.models import arguments
from mtl_keras.models.build_model import ModelOptions, build_model
from mtl_keras.models.default_tasks import left_and_right
from mtl_keras.models.factory import factory
from mtl_keras.models.heads import add_heads
from mtl_keras.models.inputs import vector_inputs
from mtl_keras.models.trunk_sizes import resolve_hidden_units
from mtl_keras.tasks import Task
from mtl_keras.training import MultiTaskModel


@factory("vectors", search_space={"trunk_width": [16, 32, 64, 128, 256]})
def build_mlp(
    input_shape: Sequence[int] = (784,),
    tasks: Sequence[Task] | None = None,
    *,
    num_classes: int | None = None,
    hidden_units: Sequence[int] | None = None,
    trunk_width: int | None = None,
    trunk_depth: int | None = None,
    activation: str = "relu",
    normalization: str | None = None,
    dropout: float = 0.0,
    l1: float = 0.0,
    l2: float = 0.0,
    preprocessing: keras.layers.Layer | Sequence | None = None,
    name: str = "mlp",
    **options: Unpack[ModelOptions],
) -> MultiTaskModel:
    """Builds a multilayer perceptron whose hidden layers all tasks share.

    Without arguments, it is the classical two-digit network: 784 inputs, one
    hidden layer of 64 units, and two heads of 10 classes, `left` and `right`.

    Args:
        hidden_units: Width of each hidden layer. `()` is the linear model.
            Defaults to `(64,)`.

    Reference:
        Caruana, "Multitask Learning", Machine Learning 28, 1997.

    Example:

    Two regressions whose total loss is L1 + 0.5 L2:

    >>> from mtl_keras import Regression
    >>> model = mtl_keras.build_mlp(
    ...     input_shape=(10,),
    ...     hidden_units=(64, 32),
    ...     tasks=[Regression("first"), Regression("second")],
    ...     loss_weights={"second": 0.5},
    ... )
    >>> model.task_output_shapes
    {'first': (1,), 'second': (1,)}
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
    outputs = add_heads({task.name: x for task in tasks}, tasks)
    return build_model(inputs, outputs, tasks, name, **options)
