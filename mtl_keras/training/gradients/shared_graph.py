"""Which part of a functional model its tasks share, found from its graph."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable

import keras

from mtl_keras.graph_nodes import node_of


@dataclasses.dataclass(frozen=True)
class SharedGraph:
    """A model cut where it parts into tasks.

    Calling `heads` on what `trunk` returns gives the outputs of the model.
    What `trunk` returns is the frontier: every tensor that the shared part
    makes (or that is an input) and that something of one task alone reads.

    Args:
        trunk: Model from the inputs to the frontier, a list.
        heads: Model from the frontier to the dict of outputs.
        shared: Trainable variables that two tasks or more reach.
        of_task: Dict from task name to the trainable variables that this
            task alone reaches.
    """

    trunk: keras.Model
    heads: keras.Model
    shared: tuple[keras.Variable, ...]
    of_task: dict[str, tuple[keras.Variable, ...]]


def shared_graph_of(model: keras.Model) -> SharedGraph:
    """Cuts a functional model where it parts into tasks.

    Args:
        model: A functional model with a dict of outputs.

    Returns:
        A `SharedGraph` whose parts use the layers of the model.
    """
    outputs = dict(zip(model.output_names, model.outputs, strict=True))
    tasks_of = _tasks_by_node(outputs)
    frontier = _frontier(model, outputs, tasks_of)
    trunk = keras.Model(model.input, frontier, name="shared_part")
    heads = keras.Model(frontier, _past(frontier, outputs), name="task_part")
    shared, of_task = _variables_by_task(model, outputs, tasks_of)
    return SharedGraph(trunk, heads, shared, of_task)


def _past(frontier: list, outputs: dict) -> dict:
    """The outputs, with a copy where one is at the frontier.

    Keras loses the input of a model that is an output of it too, and a loss
    would reach round the copied tensor to the logits that Keras notes on it.
    """
    at_frontier = {id(tensor) for tensor in frontier}
    return {
        name: keras.ops.copy(output) if id(output) in at_frontier else output
        for name, output in outputs.items()
    }


def _parents(node) -> Iterable[tuple]:
    """Tensors that a node reads, each with the node that made it."""
    for tensor in node.input_tensors:
        yield tensor, node_of(tensor)


def _tasks_by_node(outputs: dict) -> dict:
    """The tasks that each node of the graph leads to, and trains for.

    A task does not train what it reads past a stop of the gradient.
    """
    tasks_of = {}
    for task, output in outputs.items():
        seen, waiting = set(), [(node_of(output), True)]
        while waiting:
            node, trains = waiting.pop()
            if (node, trains) in seen:
                continue
            seen.add((node, trains))
            found = tasks_of.setdefault(node, set())
            if trains:
                found.add(task)
            # Keras keeps the class of `keras.ops.stop_gradient` to itself.
            stops = type(node.operation).__name__ == "StopGradient"
            waiting.extend(
                (parent, trains and not stops) for _, parent in _parents(node)
            )
    return tasks_of


def _frontier(model, outputs: dict, tasks_of: dict) -> list:
    """Tensors of the shared part that the tasks' own parts read, in order."""
    several = {node for node, tasks in tasks_of.items() if len(tasks) > 1}
    # Inputs are made by nobody, so they can be read on both sides.
    several |= {node_of(tensor) for tensor in model.inputs}
    frontier = {}
    for output in outputs.values():
        if node_of(output) in several:  # an output that another task reads
            frontier[id(output)] = output
    for node in tasks_of:
        if node in several:
            continue
        for tensor, parent in _parents(node):
            if parent in several:
                frontier[id(tensor)] = tensor
    return list(frontier.values())


def _variables_by_task(model, outputs: dict, tasks_of: dict) -> tuple:
    tasks_of_variable = {}
    for node, tasks in tasks_of.items():
        # A layer that is called several times belongs to all its callers,
        # unless it says which of its variables a call reads.
        for variable in _variables_of(node):
            tasks_of_variable.setdefault(id(variable), set()).update(tasks)
    variables = model.trainable_variables
    shared = tuple(
        v for v in variables if len(tasks_of_variable.get(id(v), ())) > 1
    )
    of_task = {
        task: tuple(
            v for v in variables if tasks_of_variable.get(id(v)) == {task}
        )
        for task in outputs
    }
    return shared, of_task


def _variables_of(node) -> Iterable[keras.Variable]:
    """Variables that a call reads: the layer's, unless it says which."""
    operation, arguments = node.operation, node.arguments
    of_call = getattr(operation, "variables_of_call", None)
    if of_call is not None:
        return of_call(*arguments.args, **arguments.kwargs)
    return getattr(operation, "trainable_variables", ())


def frontier_of(model: keras.Model) -> list:
    """Lists the tensors that the shared part of a model hands to the tasks.

    Args:
        model: A functional model with a dict of outputs.

    Returns:
        Keras tensors of the model, see `SharedGraph`.
    """
    outputs = dict(zip(model.output_names, model.outputs, strict=True))
    return _frontier(model, outputs, _tasks_by_node(outputs))


def reached_variables(model: keras.Model) -> dict:
    """Finds what training a model reaches, layer by layer.

    Args:
        model: A functional model with a dict of outputs.

    Returns:
        Dict from a layer to those of its trainable variables that a task
        reaches. Layers that tasks only read past a stop of the gradient are
        not among them.
    """
    outputs = dict(zip(model.output_names, model.outputs, strict=True))
    reached: dict = {}
    for node, tasks in _tasks_by_node(outputs).items():
        if tasks and isinstance(node.operation, keras.layers.Layer):
            known = reached.setdefault(node.operation, [])
            known.extend(
                v
                for v in _variables_of(node)
                if v.trainable and not any(v is other for other in known)
            )
    return reached
