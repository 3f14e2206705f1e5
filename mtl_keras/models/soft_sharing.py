"""Towers with separate parameters and a penalty on their distance."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Unpack

import keras

from mtl_keras import trunks
from mtl_keras.layers import SoftSharedDense
from mtl_keras.models import arguments
from mtl_keras.models.build_model import ModelOptions, build_model
from mtl_keras.models.default_tasks import left_and_right
from mtl_keras.models.factory import factory
from mtl_keras.models.heads import add_heads
from mtl_keras.models.inputs import vector_inputs
from mtl_keras.models.towers import build_towers, resolve_equal_widths
from mtl_keras.models.trunk_sizes import resolve_hidden_units
from mtl_keras.tasks import Task
from mtl_keras.training import MultiTaskModel


@factory("vectors", search_space={"distance": [0.001, 0.01, 0.1]})
def build_soft_sharing_mlp(
    input_shape: Sequence[int] = (784,),
    tasks: Sequence[Task] | None = None,
    *,
    num_classes: int | None = None,
    hidden_units: Sequence[int] | Mapping[str, Sequence[int]] | None = None,
    trunk_width: int | None = None,
    trunk_depth: int | None = None,
    distance: float = 0.01,
    activation: str = "relu",
    normalization: str | None = None,
    dropout: float = 0.0,
    l1: float = 0.0,
    l2: float = 0.0,
    preprocessing: keras.layers.Layer | Sequence | None = None,
    name: str = "soft_sharing_mlp",
    **options: Unpack[ModelOptions],
) -> MultiTaskModel:
    """Builds one tower for each task, tied by the distance of their kernels.

    The tasks share no parameters. Each level adds

        distance * sum_{i<j} ||W_i - W_j||^2

    over all pairs of tasks to the loss. With `distance=0`, the towers are
    independent. A `weighting` that compares the gradients of shared parameters
    raises an error, because there are none.

    Args:
        hidden_units: Width of each hidden layer of a tower, the same for all
            towers. Defaults to `(64,)`.
        distance: Factor of the penalty, 0 or more. Defaults to `0.01`.

    Reference:
        Duong et al., "Low Resource Dependency Parsing: Cross-lingual Parameter
        Sharing in a Neural Network Parser", ACL 2015.

    Example:

    >>> model = mtl_keras.build_soft_sharing_mlp((20,), distance=0.1)
    >>> len(model.get_layer("trunk_dense_1").kernels)
    2
    """
    shape = arguments.check_vector_shape(input_shape)
    tasks = arguments.resolve_tasks(
        tasks, left_and_right, num_classes=num_classes
    )
    widths = resolve_hidden_units(
        resolve_equal_widths("hidden_units", hidden_units, tasks),
        trunk_width,
        trunk_depth,
        default=(64,),
    )
    arguments.check_hidden_layers(normalization, dropout, l1, l2)

    inputs, x = vector_inputs(shape, preprocessing)
    levels = [
        SoftSharedDense(
            units,
            len(tasks),
            distance,
            use_bias=normalization is None,
            kernel_regularizer=trunks.kernel_regularizer(l1, l2),
            name=f"trunk_dense_{level}",
        )
        for level, units in enumerate(widths, start=1)
    ]
    features = build_towers(
        [x] * len(tasks),
        tasks,
        len(levels),
        lambda level, task, x: levels[level - 1](x, task=task),
        activation=activation,
        normalization=normalization,
        dropout=dropout,
    )
    outputs = add_heads(features, tasks)
    return build_model(inputs, outputs, tasks, name, **options)
