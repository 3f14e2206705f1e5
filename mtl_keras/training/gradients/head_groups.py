"""Groups of heads that one layer computes."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import keras
import tensorflow as tf

from mtl_keras.graph_nodes import get_node, get_node_variables
from mtl_keras.keras_compat import get_operation


@dataclasses.dataclass(frozen=True)
class HeadGroup:
    """A group of heads that one layer computes.

    Args:
        layer: The layer, which returns a list of one tensor per task. It also
            accepts a tensor of shape `(batch, tasks, inputs)`, and `task_axis`
            is the task axis of its variables.
        tasks: Names of the tasks, in the order of the layer.
        feature_index: Index of the layer's input in the shared features.
        variables: The trainable variables of the layer.
    """

    layer: keras.layers.Layer
    tasks: tuple[str, ...]
    feature_index: int
    variables: tuple[keras.Variable, ...]

    @classmethod
    def from_node(
        cls, node, tasks: tuple[str, ...], frontier: Sequence
    ) -> HeadGroup:
        """Creates a group from a graph node.

        Args:
            node: The node.
            tasks: Names of the tasks, in the order of the node's outputs.
            frontier: The outputs of the shared part.
        """
        (read,) = node.input_tensors
        indices = [i for i, tensor in enumerate(frontier) if tensor is read]
        variables = tuple(get_node_variables(node))
        return cls(node.operation, tasks, indices[0], variables)

    def copy_features(self, features: Sequence):
        """Copies the layer's input for each task.

        The gradient at a copy belongs to one task, so one backward pass
        computes the gradients of all tasks.

        Args:
            features: The shared features.

        Returns:
            A tensor of shape `(batch, tasks, inputs)`.
        """
        read = features[self.feature_index][:, None]
        return tf.repeat(read, len(self.tasks), axis=1)

    def is_finite(self, gradients: Sequence):
        """Checks whether the gradients of each task are finite.

        Args:
            gradients: One gradient per variable; `None` is finite.

        Returns:
            Boolean tensor of shape `(tasks,)`.
        """
        result = tf.ones(len(self.tasks), tf.bool)
        for gradient in gradients:
            if gradient is not None:
                tasks = gradient.shape.rank + self.layer.task_axis
                others = [i for i in range(gradient.shape.rank) if i != tasks]
                result &= tf.reduce_all(tf.math.is_finite(gradient), others)
        return result

    def apply_weights(self, gradients: Sequence, weights) -> list:
        """Multiplies the gradients by the weights of the tasks.

        Args:
            gradients: One gradient per variable, or `None`.
            weights: Tensor of shape `(tasks,)`.
        """
        num_axes_after = -1 - self.layer.task_axis
        shape = (-1, *[1] * num_axes_after)
        return [
            None
            if gradient is None
            else gradient * tf.cast(tf.reshape(weights, shape), gradient.dtype)
            for gradient in gradients
        ]


def find_group_nodes(outputs: dict, tasks_by_node: dict) -> dict:
    """Finds the nodes whose layer computes the heads of several tasks.

    Only layers without parameters may follow such a node. Otherwise its layer
    belongs to the shared part.

    Args:
        outputs: Dict from task name to output.
        tasks_by_node: Dict from node to the tasks that it leads to.

    Returns:
        Dict from node to the names of its tasks, in the order of its outputs.
    """
    found = {}
    for task, output in outputs.items():
        tensor, node = output, get_node(output)
        while _is_pass_through(node, task, tasks_by_node):
            (tensor,) = node.input_tensors
            node = get_node(tensor)
        if getattr(node.operation, "task_axis", None) is not None:
            index = get_operation(tensor)[2]
            found.setdefault(node, {})[index] = task
    calls = [node.operation for node in tasks_by_node]
    return {
        node: tuple(tasks[index] for index in sorted(tasks))
        for node, tasks in found.items()
        if len(tasks) == len(node.output_tensors)
        and tasks_by_node[node] == set(tasks.values())
        and calls.count(node.operation) == 1
    }


def _is_pass_through(node, task: str, tasks_by_node: dict) -> bool:
    """Returns whether a node has one input, one task and no variables."""
    single = tasks_by_node[node] == {task} and len(node.input_tensors) == 1
    return single and not get_node_variables(node)
