"""The last step of every factory: from outputs to a compiled model."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from typing import TypedDict

import keras

from mtl_keras.graph_nodes import find_ancestor_nodes
from mtl_keras.keras_compat import get_operation
from mtl_keras.pretrained import load_weights
from mtl_keras.tasks import Task
from mtl_keras.training import MultiTaskModel
from mtl_keras.weighting import Weighting


class ModelOptions(TypedDict, total=False):
    """Keyword arguments that every factory passes on to `build_model`.

    Args:
        loss_weights: Dict from task name to the weight of its loss. Tasks
            that it leaves out keep their own `loss_weight`.
        weighting: Name, config or instance of a weighting, see
            `mtl_keras.weighting.table()`. With `None`, the loss is the
            weighted sum of the task losses.
        gradients: Gradients that a weighting compares: `"parameters"` or
            `"features"`, see `MultiTaskModel.compile`.
        optimizer: Name, config or instance of a Keras optimizer.
        compile: Whether to compile the model.
        weights: Path of a `.weights.h5` or `.keras` file with the initial
            weights. With `None`, they are random.
    """

    loss_weights: Mapping[str, float] | None
    weighting: str | Mapping | Weighting | None
    gradients: str
    optimizer: str | Mapping | keras.optimizers.Optimizer
    compile: bool
    weights: str | os.PathLike | None


def build_model(
    inputs,
    outputs: Mapping[str, object],
    tasks: Sequence[Task],
    name: str,
    *,
    loss_weights: Mapping[str, float] | None = None,
    weighting: str | Mapping | Weighting | None = None,
    gradients: str = "parameters",
    optimizer: str | Mapping | keras.optimizers.Optimizer = "adam",
    compile: bool = True,
    weights: str | os.PathLike | None = None,
) -> MultiTaskModel:
    """Builds the model, loads its weights and compiles it.

    The keyword arguments are those of `ModelOptions`.

    Args:
        inputs: Input tensor of the model.
        outputs: Dict from task name to the output of its head.
        tasks: List of tasks.
        name: Name of the model.

    Returns:
        A `MultiTaskModel`.

    Raises:
        ValueError: If a layer of the trunk has the name of a task.
    """
    _check_layer_names(outputs)
    model = MultiTaskModel(inputs, outputs, name=name, tasks=tasks)
    # Before compiling, so that loss weights in the file are ignored.
    if weights is not None:
        load_weights(model, weights)
    if compile:
        model.compile(
            optimizer=optimizer,
            loss_weights=loss_weights,
            weighting=weighting,
            gradients=gradients,
        )
    return model


def _check_layer_names(outputs: Mapping[str, object]) -> None:
    """Raises an error if a layer of the trunk has the name of a task."""
    heads = {id(get_operation(output)[0]) for output in outputs.values()}
    for node in find_ancestor_nodes(outputs.values()):
        operation = node.operation
        if operation.name in outputs and id(operation) not in heads:
            raise ValueError(
                f"Task name {operation.name!r} is also the name of a layer of "
                "the trunk. Give the task another name."
            )
