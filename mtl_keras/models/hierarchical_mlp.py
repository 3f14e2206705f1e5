"""Multilayer perceptron that tasks read at different depths."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Unpack

import keras

from mtl_keras import trunks
from mtl_keras.models import arguments
from mtl_keras.models.build_model import ModelOptions, build_model
from mtl_keras.models.default_tasks import coarse_and_fine
from mtl_keras.models.factory import factory
from mtl_keras.models.hierarchy import Hierarchy
from mtl_keras.models.inputs import vector_inputs
from mtl_keras.models.trunk_sizes import resolve_hidden_units
from mtl_keras.tasks import Task
from mtl_keras.training import MultiTaskModel


@factory("vectors")
def build_hierarchical_mlp(
    input_shape: Sequence[int] = (784,),
    tasks: Sequence[Task] | None = None,
    *,
    num_classes: int | Sequence[int] | None = None,
    hidden_units: Sequence[int] | None = None,
    trunk_width: int | None = None,
    trunk_depth: int | None = None,
    levels: Mapping[str, int] | None = None,
    feeds: Mapping[str, Sequence[str]] | None = None,
    stop_gradient: bool = True,
    activation: str = "relu",
    normalization: str | None = None,
    dropout: float = 0.0,
    l1: float = 0.0,
    l2: float = 0.0,
    preprocessing: keras.layers.Layer | Sequence | None = None,
    name: str = "hierarchical_mlp",
    **options: Unpack[ModelOptions],
) -> MultiTaskModel:
    """Builds a multilayer perceptron that tasks read at different depths.

    A task may also read the predictions of other tasks.

    Args:
        tasks: List of tasks. Defaults to `Classification("coarse", 2)` and
            `Classification("fine", 10)`.
        num_classes: Number of classes of both default tasks, or of each of
            them. Defaults to `(2, 10)`. Cannot be combined with `tasks`.
        hidden_units: Width of each hidden layer of the trunk. Defaults to
            `(64, 64)`.

    Reference:
        Sogaard and Goldberg, "Deep multi-task learning with low level tasks
        supervised at lower layers", ACL 2016; Hashimoto et al., "A Joint
        Many-Task Model", EMNLP 2017 (predictions of lower tasks as inputs).

    Example:

    >>> model = mtl_keras.build_hierarchical_mlp(
    ...     (20,),
    ...     trunk_depth=4,
    ...     levels={"coarse": 1},
    ...     feeds={"fine": ["coarse"]},
    ... )
    >>> model.get_layer("fine").kernel.shape
    TensorShape([66, 10])
    """
    shape = arguments.check_vector_shape(input_shape)
    tasks = arguments.resolve_tasks(
        tasks, coarse_and_fine, num_classes=num_classes
    )
    widths = resolve_hidden_units(
        hidden_units, trunk_width, trunk_depth, default=(64, 64), min_levels=1
    )
    hierarchy = Hierarchy(tasks, len(widths), levels, feeds, stop_gradient)
    settings = arguments.dense_settings(
        activation, normalization, dropout, l1, l2
    )

    inputs, x = vector_inputs(shape, preprocessing)
    features = []
    for level, units in enumerate(widths, start=1):
        x = trunks.mlp(x, (units,), name=f"trunk_{level}", **settings)
        features.append(x)
    outputs = hierarchy.add_heads(features)
    return build_model(inputs, outputs, tasks, name, **options)
