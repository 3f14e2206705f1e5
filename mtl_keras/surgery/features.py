"""Features of a model that the head of a new task reads."""

from __future__ import annotations

import keras

from mtl_keras.graph_nodes import find_ancestor_nodes, get_node
from mtl_keras.spelling import did_you_mean
from mtl_keras.surgery.independent_copy import nested_layers
from mtl_keras.tasks import Task
from mtl_keras.training import MultiTaskModel
from mtl_keras.training.gradients.shared_graph import find_frontier


def shared_features(model: MultiTaskModel, task: Task):
    """Finds the shared features that a new task can read.

    Args:
        model: The model.
        task: The new task.

    Returns:
        A Keras tensor of the model: the one that its shared layers pass to the
        tasks or, if there is one task, the input of its head.

    Raises:
        ValueError: If there is no such tensor, or more than one.
    """
    if len(model.tasks) == 1:
        (output,) = model.outputs
        shared = get_node(output).input_tensors
    else:
        shared = find_frontier(model)
    # A task may also read inputs, or the outputs of another task.
    skip = {id(tensor) for tensor in [*model.inputs, *model.outputs]}
    shared = [tensor for tensor in shared if id(tensor) not in skip]
    fitting = [x for x in shared if len(x.shape) == task.feature_rank]
    if len(fitting) == 1:
        return fitting[0]
    if len(fitting) > 1:
        found = f"share several: {_describe(fitting)}"
    elif shared:
        found = f"share {_describe(shared)}"
    else:
        found = "share none"
    raise ValueError(
        f"Task {task.name!r} ({type(task).__name__}) reads features of rank "
        f"{task.feature_rank}, and the tasks of model {model.name!r} {found}. "
        f"Choose one with features=: one of {_choices(model, task)}."
    )


def named_features(model: MultiTaskModel, task: Task, features):
    """Returns the tensor of the argument `features`.

    Args:
        model: The model.
        task: The new task.
        features: Name of a layer, or a Keras tensor computed from those of
            `model`.

    Returns:
        A Keras tensor.

    Raises:
        TypeError: If it is neither.
        ValueError: If the layer is unknown or has several outputs, or if the
            tensor is not the model's or has another rank.
    """
    if isinstance(features, str):
        tensor = _output_of_layer(model, features)
    elif isinstance(features, keras.KerasTensor):
        tensor = features
    else:
        raise TypeError(
            f"features={features!r} of type {type(features).__name__}; "
            "expected the name of a layer or a Keras tensor of the model."
        )
    known = {id(x) for x in model.inputs}
    nodes = find_ancestor_nodes([tensor])
    read = {id(x) for n in nodes if n.is_input for x in n.outputs}
    if id(tensor) in known or not read <= known:
        raise ValueError(
            f"features={features!r} is an input, or does not depend on the "
            f"inputs of model {model.name!r} only; expected the output of one "
            "of its layers."
        )
    if len(tensor.shape) != task.feature_rank:
        raise ValueError(
            f"Task {task.name!r} ({type(task).__name__}) reads features of "
            f"rank {task.feature_rank}; features={features!r} has shape "
            f"{tensor.shape}. Choose one of {_choices(model, task)}, or pass "
            "a tensor: a pooling layer called on the output of that layer."
        )
    return tensor


def _output_of_layer(model: MultiTaskModel, name: str):
    names = [layer.name for layer in model.layers]
    if name not in names:
        nested = [layer.name for layer in nested_layers(model)]
        hint = did_you_mean(name, names)
        if name in nested:
            hint = "It is in a nested model; name that model instead."
        raise ValueError(
            f"features={name!r} is not a layer of model {model.name!r}. {hint}"
        )
    tensors = _outputs_by_layer(model)[name]
    if len(tensors) > 1:
        raise ValueError(
            f"features={name!r} is a layer with {len(tensors)} outputs in "
            f"model {model.name!r}; pass one of these Keras tensors."
        )
    return tensors[0]


def _outputs_by_layer(model: MultiTaskModel) -> dict[str, list]:
    """Returns the outputs of each layer in this model, inputs first."""
    found: dict[str, list] = {}
    for node in reversed(find_ancestor_nodes(model.outputs)):
        found.setdefault(node.operation.name, []).extend(node.outputs)
    return found


def _choices(model: MultiTaskModel, task: Task) -> list[str]:
    """Lists layers with one output of the right rank, without heads."""
    by_layer = _outputs_by_layer(model)
    skip = {x.name for x in model.inputs} | set(model.output_names)
    return [
        layer.name
        for layer in model.layers
        if layer.name not in skip
        and len(by_layer[layer.name]) == 1
        and len(by_layer[layer.name][0].shape) == task.feature_rank
    ]


def _describe(tensors) -> str:
    return ", ".join(
        f"{get_node(x).operation.name!r} of shape {tuple(x.shape)}"
        for x in tensors
    )
