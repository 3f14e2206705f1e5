"""Customized gate control."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Unpack

import keras

from mtl_keras.models.build_model import ModelOptions
from mtl_keras.models.factory import factory
from mtl_keras.models.ple import build_ple
from mtl_keras.tasks import Task
from mtl_keras.training import MultiTaskModel


@factory(
    "vectors",
    search_space={"shared_experts": [1, 2, 4, 8], "task_experts": [1, 2, 4]},
)
def build_cgc(
    input_shape: Sequence[int] = (784,),
    tasks: Sequence[Task] | None = None,
    *,
    num_classes: int | None = None,
    shared_experts: int = 4,
    task_experts: int = 2,
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
    name: str = "cgc",
    **options: Unpack[ModelOptions],
) -> MultiTaskModel:
    """Builds shared and task-specific experts, mixed by one gate a task (CGC).

    In customized gate control, the gate of a task weights the shared experts
    and those of the task, but not the experts of other tasks. The experts of
    each group are computed together.

    Args:
        hidden_units: Width of each hidden layer of an expert. Defaults to
            `(16,)`.
        normalization: `"batch"`, `"group"`, `"layer"` or `None`. With
            `"layer"`, the experts of a layer share one scale and offset.
            Defaults to `None`.

    Reference:
        Tang et al., "Progressive Layered Extraction (PLE): A Novel Multi-Task
        Learning Model for Personalized Recommendations", RecSys 2020.

    Example:

    >>> model = mtl_keras.build_cgc((20,), shared_experts=3, task_experts=1)
    >>> model.get_layer("left_gate_1").units
    4
    """
    return build_ple(
        input_shape,
        tasks,
        num_classes=num_classes,
        levels=1,
        shared_experts=shared_experts,
        task_experts=task_experts,
        hidden_units=hidden_units,
        trunk_width=trunk_width,
        trunk_depth=trunk_depth,
        tower_units=tower_units,
        activation=activation,
        normalization=normalization,
        dropout=dropout,
        l1=l1,
        l2=l2,
        preprocessing=preprocessing,
        name=name,
        **options,
    )
