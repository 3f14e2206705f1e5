"""Mixture of experts with a sparse selection by each task."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Unpack

import keras

from mtl_keras import trunks
from mtl_keras.layers import DSelectKGate
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


@factory("vectors", search_space={"num_experts": [4, 8, 16], "k": [1, 2, 4]})
def build_dselect_k(
    input_shape: Sequence[int] = (784,),
    tasks: Sequence[Task] | None = None,
    *,
    num_classes: int | None = None,
    num_experts: int = 8,
    k: int = 2,
    gamma: float = 1.0,
    entropy: float = 0.0,
    per_sample: bool = False,
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
    name: str = "dselect_k",
    **options: Unpack[ModelOptions],
) -> MultiTaskModel:
    """Builds a mixture of experts, at most `k` of them for each task.

    Like `build_mmoe`, with gates that are smooth while they choose and exactly
    sparse once they have chosen (`mtl_keras.layers.DSelectKGate`).

    Args:
        num_experts: Number of experts, 2 or more. Defaults to `8`.
        k: Maximum number of experts that a task selects. Defaults to `2`.
        gamma: Width of the smooth step of the gates. With a smaller width,
            they choose sooner. Defaults to `1.0`.
        entropy: Factor of the entropy of the selectors, which is added to the
            loss and makes them choose. Defaults to `0`.
        per_sample: Whether gates choose for each sample rather than for the
            task. Defaults to `False`.
        hidden_units: Width of each hidden layer of an expert. Defaults to
            `(16,)`.
        normalization: `"batch"`, `"group"`, `"layer"` or `None`. With
            `"layer"`, the experts of a layer share one scale and offset.
            Defaults to `None`.

    Reference:
        Hazimeh et al., "DSelect-k: Differentiable Selection in the Mixture of
        Experts with Applications to Multi-Task Learning", NeurIPS 2021.

    Example:

    >>> model = mtl_keras.build_dselect_k((20,), num_experts=4, k=1)
    >>> model.get_layer("left_gate").k
    1
    """
    shape = arguments.check_vector_shape(input_shape)
    tasks = arguments.resolve_tasks(
        tasks, left_and_right, num_classes=num_classes
    )
    gates = {
        task.name: DSelectKGate(
            num_experts,
            k,
            gamma=gamma,
            entropy=entropy,
            per_sample=per_sample,
            name=f"{task.name}_gate",
        )
        for task in tasks
    }
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
        task: trunks.mlp(
            mix_experts(experts, x, task, gate),
            tower_widths,
            name=f"{task}_tower",
            **settings,
        )
        for task, gate in gates.items()
    }
    outputs = add_heads(features, tasks)
    return build_model(inputs, outputs, tasks, name, **options)
