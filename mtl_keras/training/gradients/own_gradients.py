"""Gradients of the parameters that one task alone reaches."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import tensorflow as tf

from mtl_keras.training.gradients.finiteness import all_finite
from mtl_keras.training.gradients.gramians import weighted_sum
from mtl_keras.training.gradients.shared_graph import SharedGraph


class OwnGradients(NamedTuple):
    """Gradients of what the tasks do not share.

    Args:
        tasks: For each task, the gradients of variables of its own, a list.
        groups: For each group of heads that are computed together, the
            gradients of its variables, a list.
    """

    tasks: list[list]
    groups: list[list]

    def finite(self, graph: SharedGraph, names: Sequence[str]):
        """Whether they are finite, task by task.

        Args:
            graph: The model, cut where it parts into tasks.
            names: Names of the tasks.

        Returns:
            Booleans of shape `(tasks,)`.
        """
        of_tasks = [all_finite(gradients) for gradients in self.tasks]
        found = dict(zip(names, of_tasks, strict=True))
        for group, gradients in zip(graph.groups, self.groups, strict=True):
            of_group = tf.unstack(group.finite(gradients))
            found |= dict(zip(group.tasks, of_group, strict=True))
        return tf.stack([found[name] for name in names])

    def weighted(
        self, graph: SharedGraph, names: Sequence[str], weights
    ) -> dict[int, object]:
        """Multiplies them by the weights of the tasks.

        Args:
            graph: See `finite`.
            names: See `finite`.
            weights: Tensor of shape `(tasks,)`.

        Returns:
            Dict from the `id` of a variable to its gradient.
        """
        found = {}
        by_task = dict(zip(names, tf.unstack(weights), strict=True))
        for name, gradients in zip(names, self.tasks, strict=True):
            of_task = weighted_sum([gradients], by_task[name][None])
            found |= _by_id(graph.of_task[name], of_task)
        for group, gradients in zip(graph.groups, self.groups, strict=True):
            of_group = tf.stack([by_task.get(n, 1.0) for n in group.tasks])
            of_group = group.weighted(gradients, of_group)
            found |= _by_id(group.variables, of_group)
        return found


def _by_id(variables: Sequence, gradients: Sequence) -> dict:
    return dict(zip(map(id, variables), gradients, strict=True))
