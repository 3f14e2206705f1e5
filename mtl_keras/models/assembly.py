"""The last step of every factory: from outputs to a compiled model."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import keras

from mtl_keras.pretrained import load_weights
from mtl_keras.tasks import Task
from mtl_keras.training import MultiTaskModel


def preprocess(inputs, preprocessing):
    """Puts preprocessing layers between the inputs and the trunk.

    Args:
        inputs: The model's input tensor.
        preprocessing: A Keras layer, a list of them, or `None`.

    Returns:
        What the trunk reads.

    Raises:
        TypeError: If something else than a layer is among them.
    """
    if preprocessing is None:
        return inputs
    if not isinstance(preprocessing, list | tuple):
        preprocessing = [preprocessing]
    for layer in preprocessing:
        if not isinstance(layer, keras.layers.Layer):
            raise TypeError(
                f"preprocessing holds {layer!r}; expected Keras layers, such "
                "as keras.layers.Rescaling(1 / 255)."
            )
        inputs = layer(inputs)
    return inputs


def assemble(
    inputs,
    features: Mapping[str, object],
    tasks: Sequence[Task],
    *,
    loss_weights: Mapping[str, float] | None,
    weighting,
    gradients: str,
    optimizer,
    compile: bool,
    weights,
    name: str,
) -> MultiTaskModel:
    """Puts the heads on, loads weights and compiles.

    Args:
        inputs: The model's input tensor.
        features: The features that each task reads, by its name.
        tasks: The tasks.
        loss_weights: See `MultiTaskModel.compile`.
        weighting: See `MultiTaskModel.compile`.
        gradients: See `MultiTaskModel.compile`.
        optimizer: See `MultiTaskModel.compile`.
        compile: Whether to compile.
        weights: `None`, or the path of a `.weights.h5` or `.keras` file.
        name: Name of the model.

    Returns:
        A `MultiTaskModel`.
    """
    outputs = {task.name: task.head(features[task.name]) for task in tasks}
    _check_layer_names(inputs, features, tasks)
    model = MultiTaskModel(inputs, outputs, name=name, tasks=tasks)
    # Before compiling, so that the file's loss weights do not count.
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


def _check_layer_names(inputs, features, tasks) -> None:
    """A head has the name of its task, so no other layer may have it."""
    trunk = keras.Model(inputs, list(features.values()))
    taken = {layer.name for layer in trunk.layers}
    for task in tasks:
        if task.name in taken:
            raise ValueError(
                f"Task name {task.name!r} is also the name of a layer of the "
                "trunk. Give the task another name."
            )
