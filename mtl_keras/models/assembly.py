"""The last step of every factory: from outputs to a compiled model."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import keras

from mtl_keras.graph_nodes import nodes_behind
from mtl_keras.keras_compat import operation_of
from mtl_keras.models.heads import put_heads
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


def vector_inputs(shape: tuple, preprocessing) -> tuple:
    """Makes the input of a network on vectors.

    Args:
        shape: Shape of one sample; longer ones than vectors are flattened.
        preprocessing: See `preprocess`.

    Returns:
        The model's input tensor, and a tensor of shape `(batch, features)`.
    """
    inputs = keras.Input(shape, name="features")
    x = preprocess(inputs, preprocessing)
    if len(x.shape) > 2:
        x = keras.layers.Flatten(name="trunk_flatten")(x)
    return inputs, x


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
    outputs = put_heads(features, tasks)
    return finish(
        inputs,
        outputs,
        tasks,
        loss_weights=loss_weights,
        weighting=weighting,
        gradients=gradients,
        optimizer=optimizer,
        compile=compile,
        weights=weights,
        name=name,
    )


def finish(
    inputs,
    outputs: Mapping[str, object],
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
    """Makes the model of its outputs, loads weights and compiles.

    Args:
        inputs: The model's input tensor.
        outputs: Dict from task name to the output of its head.
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
    _check_layer_names(outputs)
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


def _check_layer_names(outputs: Mapping[str, object]) -> None:
    """A head has the name of its task, so no other layer may have it."""
    heads = {id(operation_of(output)[0]) for output in outputs.values()}
    for node in nodes_behind(outputs.values()):
        operation = node.operation
        if operation.name in outputs and id(operation) not in heads:
            raise ValueError(
                f"Task name {operation.name!r} is also the name of a layer of "
                "the trunk. Give the task another name."
            )
