"""Leaves out of a functional model what its outputs do not need."""

from __future__ import annotations

from collections.abc import Sequence

import keras

from mtl_keras.graph_nodes import node_of, nodes_behind


def model_of(model: keras.Model, outputs, name: str) -> keras.Model:
    """Makes the model of some outputs, of the layers of another one.

    Args:
        model: A functional model.
        outputs: Keras tensors of its graph, in any structure.
        name: Name of the new model.

    Returns:
        A `keras.Model` that has those inputs of `model` that the outputs need.
    """
    nodes = nodes_behind(keras.tree.flatten(outputs))
    return keras.Model(_needed(model.input, set(nodes)), outputs, name=name)


def _needed(inputs, nodes: set):
    """The inputs that are among the nodes, in a structure of the same kind."""
    if isinstance(inputs, dict):
        return {k: v for k, v in inputs.items() if node_of(v) in nodes}
    needed = [x for x in keras.tree.flatten(inputs) if node_of(x) in nodes]
    return needed[0] if len(needed) == 1 else needed


def prune(model: keras.Model) -> keras.Model:
    """Leaves out what the outputs of a model do not need.

    That are variables of other tasks, in layers that say which layers compute
    one task alone (`layers_of_task`), and outputs of nested models that nobody
    reads.

    Args:
        model: A functional model. Its layers are called again.

    Returns:
        A `keras.Model` that computes the same, of the layers of `model` where
        there is nothing to leave out of them; or `model` itself.
    """
    nodes = nodes_behind(model.outputs)
    if not any(map(_holds_more, nodes)):
        return model
    return keras.models.clone_model(
        model,
        input_tensors=model.input,
        clone_function=lambda layer: layer,
        call_function=_Calls(model.outputs, nodes),
    )


def _holds_more(node) -> bool:
    """Whether a call may belong to a layer that holds more than is needed."""
    operation = node.operation
    return hasattr(operation, "layers_of_task") or _is_functional(operation)


def _is_functional(operation) -> bool:
    nested = isinstance(operation, keras.Model)
    # A Sequential has one output, which somebody reads.
    return (
        nested
        and not isinstance(operation, keras.Sequential)
        and hasattr(operation, "outputs")
    )


class _Calls:
    """Calls the layers of a graph again, each by what is needed of it.

    Args:
        outputs: The tensors that are needed at the end.
        nodes: The nodes that lead there.
    """

    def __init__(self, outputs: Sequence, nodes: Sequence):
        self._made: dict[str, keras.layers.Layer] = {}
        self._nested: dict[int, keras.Model] = {}
        read = {id(tensor) for tensor in outputs}
        read |= {id(x) for node in nodes for x in node.input_tensors}
        # Numbers of the outputs of each operation that somebody reads.
        self._read: dict[int, set[int]] = {}
        for node in nodes:
            of_operation = self._read.setdefault(id(node.operation), set())
            of_operation |= {
                number
                for number, tensor in enumerate(node.outputs)
                if id(tensor) in read
            }

    def __call__(self, operation, *args, **kwargs):
        if hasattr(operation, "layers_of_task"):
            return self._of_tasks(operation, args, kwargs)
        if _is_functional(operation):
            return self._of_nested(operation, args, kwargs)
        return operation(*args, **kwargs)

    def _of_tasks(self, layer, args: tuple, kwargs: dict):
        inputs = [*args, *kwargs.values()][0]
        outputs = layer.compute_output_spec(*args, **kwargs)
        if isinstance(outputs, keras.KerasTensor):
            return self._chain(layer.layers_of_task(*args, **kwargs), inputs)
        # One call makes the outputs of all tasks.
        by_task = [None] * len(keras.tree.flatten(outputs))
        for task in sorted(self._read[id(layer)]):
            chain = layer.layers_of_task(*args, **kwargs, task=task)
            by_task[task] = self._chain(chain, inputs)
        return keras.tree.pack_sequence_as(outputs, by_task)

    def _chain(self, layers: Sequence, x):
        for layer in layers:
            # What several calls have in common goes by one name.
            x = self._made.setdefault(layer.name, layer)(x)
        return x

    def _of_nested(self, model: keras.Model, args: tuple, kwargs: dict):
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
