"""Which part of a functional model its tasks share, found from its graph."""

from __future__ import annotations

import dataclasses

import keras

from mtl_keras.graph_nodes import node_of, variables_of
from mtl_keras.training.gradients.head_groups import HeadGroup, group_nodes


@dataclasses.dataclass(frozen=True)
class SharedGraph:
    """A model cut where it parts into tasks.

    Calling `outputs` on what `trunk` returns gives the outputs of the model.
    What `trunk` returns is the frontier: every tensor that the shared part
    makes (or that is an input) and that something of one task alone reads, or
    a layer that computes the heads of several.

    Args:
        trunk: Model from the inputs to the frontier, a list.
        heads: Model to the dict of outputs, from what it reads of the
            frontier and from what the groups make of it.
        direct: Indices of what `heads` reads of the frontier.
        groups: Heads that are computed together.
        shared: Trainable variables that two tasks or more reach.
        of_task: Dict from task name to the trainable variables that this
            task alone reaches, without those of `groups`.
    """

    trunk: keras.Model
    heads: keras.Model
    direct: tuple[int, ...]
    groups: tuple[HeadGroup, ...]
    shared: tuple[keras.Variable, ...]
    of_task: dict[str, tuple[keras.Variable, ...]]

    def outputs(
        self, features: list, copies: list | None = None, training=False
    ) -> dict:
        """Computes the outputs.

        Args:
            features: What `trunk` returned.
            copies: For each group a copy of what it reads for each of its
                tasks (see `HeadGroup.copy`). Defaults to new ones.
            training: As in `keras.Model.call`.
        """
        if copies is None:
            copies = [group.copy(features) for group in self.groups]
        of_groups = [
            output
            for group, copy in zip(self.groups, copies, strict=True)
            for output in group.layer(copy)
        ]
        direct = [features[index] for index in self.direct]
        return self.heads([*direct, *of_groups], training=training)


class _TaskPart(keras.Model):
    """A functional model whose layers see the masks of what it reads."""

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        # Else Keras warns that masks end here.
        self.supports_masking = True

    def compute_mask(self, inputs, mask=None):
        """None: the mask of an input is that of no output."""
        return None


def shared_graph_of(model: keras.Model) -> SharedGraph:
    """Cuts a functional model where it parts into tasks.

    Args:
        model: A functional model with a dict of outputs.

    Returns:
        A `SharedGraph` whose parts use the layers of the model.
    """
    outputs = dict(zip(model.output_names, model.outputs, strict=True))
    tasks_of = _tasks_by_node(outputs)
    groups = group_nodes(outputs, tasks_of)
    frontier, direct = _frontier(model, outputs, tasks_of, groups)
    trunk = keras.Model(model.input, frontier, name="shared_part")
    cut = [frontier[index] for index in direct]
    cut += [tensor for node in groups for tensor in node.output_tensors]
    heads = _TaskPart(cut, _past(cut, outputs), name="task_part")
    found = tuple(
        HeadGroup.of(node, tasks, frontier) for node, tasks in groups.items()
    )
    shared, of_task = _variables_by_task(model, outputs, tasks_of, groups)
    return SharedGraph(trunk, heads, direct, found, shared, of_task)


def _past(cut: list, outputs: dict) -> dict:
    """The outputs, with a copy where one is what the heads read.

    Keras loses the input of a model that is an output of it too, and a loss
    would reach round the copied tensor to the logits that Keras notes on it.
    """
    read = {id(tensor) for tensor in cut}
    return {
        name: keras.ops.copy(output) if id(output) in read else output
        for name, output in outputs.items()
    }


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
                (node_of(tensor), trains and not stops)
                for tensor in node.input_tensors
            )
    return tasks_of


def _frontier(model, outputs: dict, tasks_of: dict, groups: dict) -> tuple:
    """Tensors of the shared part that the tasks' own parts read, in order.

    Returns:
        A list of them, and the indices of those that something else than a
        group reads.
    """
    several = {node for node, tasks in tasks_of.items() if len(tasks) > 1}
    several -= groups.keys()
    # Inputs are made by nobody, so they can be read on both sides.
    several |= {node_of(tensor) for tensor in model.inputs}
    frontier, direct = {}, set()
    for output in outputs.values():
        if node_of(output) in several:  # an output that another task reads
            frontier[id(output)] = output
            direct.add(id(output))
    for node in tasks_of:
        if node in several:
            continue
        for tensor in node.input_tensors:
            if node_of(tensor) in several:
                frontier[id(tensor)] = tensor
                if node not in groups:
                    direct.add(id(tensor))
    places = tuple(i for i, key in enumerate(frontier) if key in direct)
    return list(frontier.values()), places


def _variables_by_task(
    model, outputs: dict, tasks_of: dict, groups: dict
) -> tuple:
    tasks_of_variable = {}
    for node, tasks in tasks_of.items():
        # A layer that is called several times belongs to all its callers,
        # unless it says which of its variables a call reads.
        for variable in variables_of(node):
            tasks_of_variable.setdefault(id(variable), set()).update(tasks)
    grouped = {id(v) for node in groups for v in variables_of(node)}
    variables = [v for v in model.trainable_variables if id(v) not in grouped]
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


def frontier_of(model: keras.Model) -> list:
    """Lists the tensors that the shared part of a model hands to the tasks.

    Args:
        model: A functional model with a dict of outputs.

    Returns:
        Keras tensors of the model, see `SharedGraph`.
    """
    outputs = dict(zip(model.output_names, model.outputs, strict=True))
    tasks_of = _tasks_by_node(outputs)
    groups = group_nodes(outputs, tasks_of)
    frontier, _ = _frontier(model, outputs, tasks_of, groups)
    return frontier


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
                for v in variables_of(node)
                if v.trainable and not any(v is other for other in known)
            )
    return reached
