"""Splits the graph of a functional model into a shared part and heads."""

from __future__ import annotations

import dataclasses

import keras

from mtl_keras.graph_nodes import get_node, get_node_variables
from mtl_keras.training.gradients.head_groups import HeadGroup, find_group_nodes


@dataclasses.dataclass(frozen=True)
class SharedGraph:
    """A model that is split into a shared part and heads.

    `trunk` computes the frontier, and `outputs` computes the outputs of the
    model from it. The frontier consists of the tensors of the shared part, and
    of inputs, that a task-specific layer or a head group reads.

    Args:
        trunk: Model from the inputs to the frontier, a list of tensors.
        heads: Model from some tensors of the frontier and the outputs of the
            head groups to the dict of outputs.
        direct: Indices of the frontier tensors that `heads` reads.
        groups: Groups of heads that one layer computes.
        shared: Trainable variables that two or more tasks reach.
        task_variables: Dict from task name to the trainable variables that
            only this task reaches, without those of `groups`.
    """

    trunk: keras.Model
    heads: keras.Model
    direct: tuple[int, ...]
    groups: tuple[HeadGroup, ...]
    shared: tuple[keras.Variable, ...]
    task_variables: dict[str, tuple[keras.Variable, ...]]

    def outputs(
        self, features: list, copies: list | None = None, training=False
    ) -> dict:
        """Computes the outputs.

        Args:
            features: The outputs of `trunk`.
            copies: The inputs of each head group (see
                `HeadGroup.copy_features`). Defaults to new copies.
            training: As in `keras.Model.call`.
        """
        if copies is None:
            copies = [group.copy_features(features) for group in self.groups]
        group_outputs = [
            output
            for group, copy in zip(self.groups, copies, strict=True)
            for output in group.layer(copy)
        ]
        direct = [features[index] for index in self.direct]
        return self.heads([*direct, *group_outputs], training=training)


class _Heads(keras.Model):
    """A functional model whose layers receive the masks of its inputs."""

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        # Otherwise Keras warns that masks are dropped.
        self.supports_masking = True

    def compute_mask(self, inputs, mask=None):
        """Returns `None`: no output has the mask of an input."""
        return None


def split_shared_graph(model: keras.Model) -> SharedGraph:
    """Splits a functional model into a shared part and heads.

    Args:
        model: A functional model with a dict of outputs.

    Returns:
        A `SharedGraph` that uses the layers of the model.
    """
    outputs = dict(zip(model.output_names, model.outputs, strict=True))
    tasks_by_node = _find_tasks_by_node(outputs)
    groups = find_group_nodes(outputs, tasks_by_node)
    frontier, direct = _find_frontier(model, outputs, tasks_by_node, groups)
    trunk = keras.Model(model.input, frontier, name="shared_part")
    cut = [frontier[index] for index in direct]
    cut += [tensor for node in groups for tensor in node.output_tensors]
    heads = _Heads(cut, _copy_read_outputs(cut, outputs), name="task_part")
    head_groups = tuple(
        HeadGroup.from_node(node, tasks, frontier)
        for node, tasks in groups.items()
    )
    shared, task_variables = _split_variables(
        model, outputs, tasks_by_node, groups
    )
    return SharedGraph(
        trunk, heads, direct, head_groups, shared, task_variables
    )


def _copy_read_outputs(cut: list, outputs: dict) -> dict:
    """Returns the outputs, with copies of those that the heads read.

    Keras loses an input of a model that is also an output, and a loss would
    bypass the tensor and use the logits that Keras set on it.
    """
    read = {id(tensor) for tensor in cut}
    return {
        name: keras.ops.copy(output) if id(output) in read else output
        for name, output in outputs.items()
    }


def _find_tasks_by_node(outputs: dict) -> dict:
    """Returns a dict from node to the tasks that train it.

    A task does not train nodes that it reads through a `stop_gradient`.
    """
    tasks_by_node = {}
    for task, output in outputs.items():
        seen, waiting = set(), [(get_node(output), True)]
        while waiting:
            node, trains = waiting.pop()
            if (node, trains) in seen:
                continue
            seen.add((node, trains))
            tasks = tasks_by_node.setdefault(node, set())
            if trains:
                tasks.add(task)
            # The class of `keras.ops.stop_gradient` is not public.
            stops = type(node.operation).__name__ == "StopGradient"
            waiting.extend(
                (get_node(tensor), trains and not stops)
                for tensor in node.input_tensors
            )
    return tasks_by_node


def _find_frontier(
    model, outputs: dict, tasks_by_node: dict, groups: dict
) -> tuple:
    """Finds the tensors of the shared part that heads read.

    Returns:
        A list of tensors, and the indices of those that are read outside of
        head groups.
    """
    shared = {node for node, tasks in tasks_by_node.items() if len(tasks) > 1}
    shared -= groups.keys()
    # Inputs have no variables, so trunk and heads can both read them.
    shared |= {get_node(tensor) for tensor in model.inputs}
    frontier, direct = {}, set()
    for output in outputs.values():
        if get_node(output) in shared:  # an output that another task reads
            frontier[id(output)] = output
            direct.add(id(output))
    for node in tasks_by_node:
        if node in shared:
            continue
        for tensor in node.input_tensors:
            if get_node(tensor) in shared:
                frontier[id(tensor)] = tensor
                if node not in groups:
                    direct.add(id(tensor))
    indices = tuple(i for i, key in enumerate(frontier) if key in direct)
    return list(frontier.values()), indices


def _split_variables(
    model, outputs: dict, tasks_by_node: dict, groups: dict
) -> tuple:
    tasks_by_variable = {}
    for node, tasks in tasks_by_node.items():
        # A layer with several calls belongs to all callers, unless its
        # `call_variables` selects the variables of a call.
        for variable in get_node_variables(node):
            tasks_by_variable.setdefault(id(variable), set()).update(tasks)
    grouped = {id(v) for node in groups for v in get_node_variables(node)}
    variables = [v for v in model.trainable_variables if id(v) not in grouped]
    shared = tuple(
        v for v in variables if len(tasks_by_variable.get(id(v), ())) > 1
    )
    task_variables = {
        task: tuple(
            v for v in variables if tasks_by_variable.get(id(v)) == {task}
        )
        for task in outputs
    }
    return shared, task_variables


def find_frontier(model: keras.Model) -> list:
    """Lists the tensors of the shared part that heads read.

    Args:
        model: A functional model with a dict of outputs.

    Returns:
        A list of Keras tensors (see `SharedGraph`).
    """
    outputs = dict(zip(model.output_names, model.outputs, strict=True))
    tasks_by_node = _find_tasks_by_node(outputs)
    groups = find_group_nodes(outputs, tasks_by_node)
    frontier, _ = _find_frontier(model, outputs, tasks_by_node, groups)
    return frontier


def find_reachable_variables(model: keras.Model) -> dict:
    """Finds the trainable variables that tasks reach, by layer.

    Args:
        model: A functional model with a dict of outputs.

    Returns:
        Dict from layer to the trainable variables that a task reaches.
        Layers that are only read through a `stop_gradient` are omitted.
    """
    outputs = dict(zip(model.output_names, model.outputs, strict=True))
    reached: dict = {}
    for node, tasks in _find_tasks_by_node(outputs).items():
        if tasks and isinstance(node.operation, keras.layers.Layer):
            known = reached.setdefault(node.operation, [])
            known.extend(
                v
                for v in get_node_variables(node)
                if v.trainable and not any(v is other for other in known)
            )
    return reached
