"""Multi-gate mixture of experts."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Unpack

import keras

from mtl_keras import trunks
from mtl_keras.models import arguments
from mtl_keras.models.build_model import ModelOptions, build_model
from mtl_keras.models.default_tasks import left_and_right
from mtl_keras.models.expert_mixtures import expert_mlps, mix_experts
from mtl_keras.models.factory import factory
from mtl_keras.models.heads import add_heads
from mtl_keras.models.inputs import vector_inputs
from mtl_keras.models.trunk_sizes import resolve_hidden_units, resolve_widths
from mtl_keras.tasks import Task
from mtl_keras.training import MultiTaskModel


@factory("vectors", search_space={"num_experts": [2, 4, 8, 16]})
def build_mmoe(
    input_shape: Sequence[int] = (784,),
    tasks: Sequence[Task] | None = None,
    *,
    num_classes: int | None = None,
    num_experts: int = 8,
    hidden_units: Sequence[int] | None = None,
    trunk_width: int | None = None,
    trunk_depth: int | None = None,
    tower_units: Sequence[int] = (16,),
    activation: str = "relu",
    normalization: str | None = None,
    dropout: float = 0.0,
    l1: float = 0.0,
    l2: float = 0.0,
    preprocessing: keras.layers.Layer | Sequence | None = None,
    name: str = "mmoe",
    **options: Unpack[ModelOptions],
) -> MultiTaskModel:
    """Builds a multi-gate mixture of experts (MMoE): one gate for each task.

    With the experts f_e, the gate G_k and the tower h_k, the head of task k
    reads

        h_k(sum_e softmax(x G_k)_e f_e(x))

    The experts are computed together. One expert is hard sharing.

    Args:
        num_experts: Number of experts, 1 or more. Defaults to `8`.
        hidden_units: Width of each hidden layer of an expert. Defaults to
            `(16,)`.
        normalization: `"batch"`, `"group"`, `"layer"` or `None`. With
            `"layer"`, the experts of a layer share one scale and offset.
            Defaults to `None`.

    Reference:
        Ma et al., "Modeling Task Relationships in Multi-task Learning with
        Multi-gate Mixture-of-Experts", KDD 2018.

    Example:

    >>> model = mtl_keras.build_mmoe((20,), num_experts=4)
    >>> model.get_layer("experts_dense_1").kernel.shape
    TensorShape([20, 4, 16])
    """
    shape = arguments.check_vector_shape(input_shape)
    tasks = arguments.resolve_tasks(
        tasks, left_and_right, num_classes=num_classes
    )
    arguments.check_integer("num_experts", num_experts, minimum=1)
    widths = resolve_hidden_units(
        hidden_units, trunk_width, trunk_depth, default=(16,), min_levels=1
    )
    tower_widths = resolve_widths("tower_units", tower_units, default=(16,))
    settings = arguments.dense_settings(
        activation, normalization, dropout, l1, l2
    )

    inputs, x = vector_inputs(shape, preprocessing)
    experts = expert_mlps(x, num_experts, widths, **settings)
    features = {
        task.name: trunks.mlp(
            mix_experts(experts, x, task.name),
            tower_widths,
            name=f"{task.name}_tower",
            **settings,
        )
        for task in tasks
    }
    outputs = add_heads(features, tasks)
    return build_model(inputs, outputs, tasks, name, **options)
