"""Functional models without the layers that their outputs do not need."""

from __future__ import annotations

from collections.abc import Sequence

import keras

from mtl_keras.graph_nodes import find_ancestor_nodes, get_node


def extract_model(model: keras.Model, outputs, name: str) -> keras.Model:
    """Creates a model of some outputs of another model, with its layers.

    Args:
        model: A functional model.
        outputs: Keras tensors of its graph, in any structure.
        name: Name of the new model.

    Returns:
        A `keras.Model` with those inputs of `model` that the outputs need.
    """
    nodes = find_ancestor_nodes(keras.tree.flatten(outputs))
    return keras.Model(_needed(model.input, set(nodes)), outputs, name=name)


def _needed(inputs, nodes: set):
    """Returns the inputs that are among the nodes, in the same structure."""
    if isinstance(inputs, dict):
        return {k: v for k, v in inputs.items() if get_node(v) in nodes}
    needed = [x for x in keras.tree.flatten(inputs) if get_node(x) in nodes]
    return needed[0] if len(needed) == 1 else needed


def prune(model: keras.Model) -> keras.Model:
    """Removes what the outputs of a model do not need.

    These are the variables of other tasks, in layers that can be reduced to
    one task (`task_layers`), and unused outputs of nested models.

    Args:
        model: A functional model. Its layers are called again.

    Returns:
        A `keras.Model` that computes the same, with the layers of `model`
        where nothing is removed from them; or `model` itself.
    """
    nodes = find_ancestor_nodes(model.outputs)
    if not any(map(_can_shrink, nodes)):
        return model
    return keras.models.clone_model(
        model,
        input_tensors=model.input,
        clone_function=lambda layer: layer,
        call_function=_PrunedCalls(model.outputs, nodes),
    )


def _can_shrink(node) -> bool:
    """Returns whether the layer of a call may have unneeded variables."""
    operation = node.operation
    return hasattr(operation, "task_layers") or _is_functional(operation)


def _is_functional(operation) -> bool:
    nested = isinstance(operation, keras.Model)
    # A Sequential has one output, which is always used.
    return (
        nested
        and not isinstance(operation, keras.Sequential)
        and hasattr(operation, "outputs")
    )


class _PrunedCalls:
    """Calls the layers of a graph again, without what is not needed.

    Args:
        outputs: The outputs of the pruned model.
        nodes: The nodes that the outputs depend on.
    """

    def __init__(self, outputs: Sequence, nodes: Sequence):
        self._layers: dict[str, keras.layers.Layer] = {}
        self._nested: dict[int, keras.Model] = {}
        read = {id(tensor) for tensor in outputs}
        read |= {id(x) for node in nodes for x in node.input_tensors}
        # Indices of the outputs of each operation that are used.
        self._read: dict[int, set[int]] = {}
        for node in nodes:
            indices = self._read.setdefault(id(node.operation), set())
            indices |= {
                number
                for number, tensor in enumerate(node.outputs)
                if id(tensor) in read
            }

    def __call__(self, operation, *args, **kwargs):
        if hasattr(operation, "task_layers"):
            return self._call_by_task(operation, args, kwargs)
        if _is_functional(operation):
            return self._call_nested(operation, args, kwargs)
        return operation(*args, **kwargs)

    def _call_by_task(self, layer, args: tuple, kwargs: dict):
        inputs = [*args, *kwargs.values()][0]
        outputs = layer.compute_output_spec(*args, **kwargs)
        if isinstance(outputs, keras.KerasTensor):
            return self._chain(layer.task_layers(*args, **kwargs), inputs)
        # One call computes the outputs of all tasks.
        by_task = [None] * len(keras.tree.flatten(outputs))
        for task in sorted(self._read[id(layer)]):
            chain = layer.task_layers(*args, **kwargs, task=task)
            by_task[task] = self._chain(chain, inputs)
        return keras.tree.pack_sequence_as(outputs, by_task)

    def _chain(self, layers: Sequence, x):
        for layer in layers:
            # Calls share the layers that have the same name.
            x = self._layers.setdefault(layer.name, layer)(x)
        return x

    def _call_nested(self, model: keras.Model, args: tuple, kwargs: dict):
        read = sorted(self._read[id(model)])
        if id(model) not in self._nested:
            outputs = [model.outputs[number] for number in read]
            part = prune(keras.Model(model.input, outputs, name=model.name))
            if not model.trainable:
                part.trainable = False
            self._nested[id(model)] = part
        found = self._nested[id(model)](*args, **kwargs)
        by_number = dict(zip(read, keras.tree.flatten(found), strict=True))
        flat = [by_number.get(number) for number in range(len(model.outputs))]
        return keras.tree.pack_sequence_as(model.output, flat)
