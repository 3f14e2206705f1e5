"""Progressive layered extraction."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Unpack

import keras

from mtl_keras import trunks
from mtl_keras.models import arguments
from mtl_keras.models.build_model import ModelOptions, build_model
from mtl_keras.models.default_tasks import left_and_right
from mtl_keras.models.extraction import check_experts, extraction_levels
from mtl_keras.models.factory import factory
from mtl_keras.models.heads import add_heads
from mtl_keras.models.inputs import vector_inputs
from mtl_keras.models.trunk_sizes import resolve_hidden_units, resolve_widths
from mtl_keras.tasks import Task
from mtl_keras.training import MultiTaskModel


@factory(
    "vectors",
    search_space={"shared_experts": [1, 2, 4, 8], "task_experts": [1, 2, 4]},
)
def build_ple(
    input_shape: Sequence[int] = (784,),
    tasks: Sequence[Task] | None = None,
    *,
    num_classes: int | None = None,
    levels: int = 2,
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
    name: str = "ple",
    **options: Unpack[ModelOptions],
) -> MultiTaskModel:
    """Builds several levels of shared and task-specific experts (PLE).

    In progressive layered extraction, the gate of a task at each level weights
    the experts of the task and the shared ones, and a shared gate weights all
    experts. The mixtures feed the experts of the next level, and after the
    last level the towers. One level is `build_cgc`.

    Args:
        levels: Number of extraction levels, 1 or more. Defaults to `2`.
        hidden_units: Width of each hidden layer of an expert. Defaults to
            `(16,)`.
        normalization: `"batch"`, `"group"`, `"layer"` or `None`. With
            `"layer"`, the experts of a layer share one scale and offset.
            Defaults to `None`.

    Reference:
        Tang et al., "Progressive Layered Extraction (PLE): A Novel Multi-Task
        Learning Model for Personalized Recommendations", RecSys 2020.

    Example:

    >>> model = mtl_keras.build_ple((20,), shared_experts=3, task_experts=1)
    >>> model.get_layer("shared_gate_1").units
    5
    >>> model.get_layer("left_gate_2").units
    4
    """
    shape = arguments.check_vector_shape(input_shape)
    tasks = arguments.resolve_tasks(
        tasks, left_and_right, num_classes=num_classes
    )
    arguments.check_integer("levels", levels, minimum=1)
    check_experts(shared_experts, task_experts)
    widths = resolve_hidden_units(
        hidden_units, trunk_width, trunk_depth, default=(16,), min_levels=1
    )
    tower_widths = resolve_widths("tower_units", tower_units, default=(16,))
    settings = arguments.dense_settings(
        activation, normalization, dropout, l1, l2
    )

    inputs, x = vector_inputs(shape, preprocessing)
    mixtures = extraction_levels(
        x,
        [task.name for task in tasks],
        levels,
        shared_experts,
        task_experts,
        widths,
        **settings,
    )
    features = {
        task: trunks.mlp(
            mixture, tower_widths, name=f"{task}_tower", **settings
        )
        for task, mixture in mixtures.items()
    }
    outputs = add_heads(features, tasks)
    return build_model(inputs, outputs, tasks, name, **options)
