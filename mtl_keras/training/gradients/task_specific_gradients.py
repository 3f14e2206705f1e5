"""Gradients of task-specific parameters."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import tensorflow as tf

from mtl_keras.training.gradients.finiteness import all_finite
from mtl_keras.training.gradients.gramians import weighted_sum
from mtl_keras.training.gradients.shared_graph import SharedGraph


class TaskSpecificGradients(NamedTuple):
    """The gradients of the task-specific parameters.

    Args:
        tasks: For each task, a list of gradients of its variables.
        groups: For each head group, a list of gradients of its variables.
    """

    tasks: list[list]
    groups: list[list]

    def is_finite(self, graph: SharedGraph, names: Sequence[str]):
        """Checks whether the gradients of each task are finite.

        Args:
            graph: The model, split into a shared part and heads.
            names: Names of the tasks.

        Returns:
            Boolean tensor of shape `(tasks,)`.
        """
        values = [all_finite(gradients) for gradients in self.tasks]
        by_task = dict(zip(names, values, strict=True))
        for group, gradients in zip(graph.groups, self.groups, strict=True):
            values = tf.unstack(group.is_finite(gradients))
            by_task |= dict(zip(group.tasks, values, strict=True))
        return tf.stack([by_task[name] for name in names])

    def apply_weights(
        self, graph: SharedGraph, names: Sequence[str], weights
    ) -> dict[int, object]:
        """Multiplies the gradients by the weights of the tasks.

        Args:
            graph: See `is_finite`.
            names: See `is_finite`.
            weights: Tensor of shape `(tasks,)`.

        Returns:
            Dict from the `id` of a variable to its gradient.
        """
        by_id = {}
        by_task = dict(zip(names, tf.unstack(weights), strict=True))
        for name, gradients in zip(names, self.tasks, strict=True):
            weighted = weighted_sum([gradients], by_task[name][None])
            by_id |= map_by_id(graph.task_variables[name], weighted)
        for group, gradients in zip(graph.groups, self.groups, strict=True):
            group_weights = [by_task.get(name, 1.0) for name in group.tasks]
            weighted = group.apply_weights(gradients, tf.stack(group_weights))
            by_id |= map_by_id(group.variables, weighted)
        return by_id


def map_by_id(variables: Sequence, gradients: Sequence) -> dict:
    """Returns a dict from the `id` of a variable to its gradient."""
    return dict(zip(map(id, variables), gradients, strict=True))
