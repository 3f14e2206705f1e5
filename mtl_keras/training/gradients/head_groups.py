"""Heads of several tasks that one layer computes, found from the graph."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import keras
import tensorflow as tf

from mtl_keras.graph_nodes import node_of, variables_of
from mtl_keras.keras_compat import operation_of


@dataclasses.dataclass(frozen=True)
class HeadGroup:
    """Heads of several tasks that one layer computes.

    Args:
        layer: The layer, which makes a list of one tensor a task. It takes a
            tensor of shape `(batch, tasks, inputs)` as well, and the tasks lie
            along the axis `task_axis` of its variables.
        tasks: Names of the tasks, in its order.
        reads: Index of what it reads among what the shared part returns.
        variables: Its trainable variables.
    """

    layer: keras.layers.Layer
    tasks: tuple[str, ...]
    reads: int
    variables: tuple[keras.Variable, ...]

    @classmethod
    def of(cls, node, tasks: tuple[str, ...], frontier: Sequence) -> HeadGroup:
        """Makes a group of a node of the graph.

        Args:
            node: The node.
            tasks: Names of the tasks, in the order of its outputs.
            frontier: What the shared part returns.
        """
        (read,) = node.input_tensors
        places = [i for i, tensor in enumerate(frontier) if tensor is read]
        variables = tuple(variables_of(node))
        return cls(node.operation, tasks, places[0], variables)

    def copy(self, features: Sequence):
        """A copy for each task of what the layer reads.

        The gradient at its copy is that of the task alone, so that one pass
        finds those of all tasks.

        Args:
            features: What the shared part returned.

        Returns:
            A tensor of shape `(batch, tasks, inputs)`.
        """
        read = features[self.reads][:, None]
        return tf.repeat(read, len(self.tasks), axis=1)

    def finite(self, gradients: Sequence):
        """Whether the gradients of the variables are finite, task by task.

        Args:
            gradients: One for each variable; `None` is finite.

        Returns:
            Booleans of shape `(tasks,)`.
        """
        found = tf.ones(len(self.tasks), tf.bool)
        for gradient in gradients:
            if gradient is not None:
                tasks = gradient.shape.rank + self.layer.task_axis
                others = [i for i in range(gradient.shape.rank) if i != tasks]
                found &= tf.reduce_all(tf.math.is_finite(gradient), others)
        return found

    def weighted(self, gradients: Sequence, weights) -> list:
        """Gradients of the variables, times a weight for each task.

        Args:
            gradients: One for each variable.
            weights: Tensor of shape `(tasks,)`.
        """
        after = -1 - self.layer.task_axis
        shape = (-1, *[1] * after)
        return [
            None
            if gradient is None
            else gradient * tf.cast(tf.reshape(weights, shape), gradient.dtype)
            for gradient in gradients
        ]


def group_nodes(outputs: dict, tasks_of: dict) -> dict:
    """Finds the nodes whose layer computes the heads of several tasks.

    From there to the output of a task there may be layers without parameters
    alone. Where there is more, the layer is taken for a part of the network
    that its tasks share.

    Args:
        outputs: Dict from task name to output.
        tasks_of: Dict from node to the tasks that it leads to.

    Returns:
        Dict from node to the names of its tasks, in the order of its outputs.
    """
    found = {}
    for task, output in outputs.items():
        tensor, node = output, node_of(output)
        while _hands_on(node, task, tasks_of):
            (tensor,) = node.input_tensors
            node = node_of(tensor)
        if getattr(node.operation, "task_axis", None) is not None:
            index = operation_of(tensor)[2]
            found.setdefault(node, {})[index] = task
    calls = [node.operation for node in tasks_of]
    return {
        node: tuple(tasks[index] for index in sorted(tasks))
        for node, tasks in found.items()
        if len(tasks) == len(node.output_tensors)
        and tasks_of[node] == set(tasks.values())
        and calls.count(node.operation) == 1
    }


def _hands_on(node, task: str, tasks_of: dict) -> bool:
    """Whether a node does no more than hand on what a task alone reads."""
    alone = tasks_of[node] == {task} and len(node.input_tensors) == 1
    return alone and not variables_of(node)
