"""Backward passes through the heads and through the shared part."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import tensorflow as tf

from mtl_keras.training.gradients.shared_graph import SharedGraph


class HeadGradients(NamedTuple):
    """The gradients of a task loss, from a backward pass through its head.

    Args:
        features: List of gradients at the shared features.
        task_specific: List of gradients of the task-specific parameters.
        shared: List of gradients of shared parameters that heads read
            directly.
    """

    features: list
    task_specific: list
    shared: list


def compute_head_gradients(
    tape: tf.GradientTape,
    losses: Sequence,
    features: list,
    copies: list,
    graph: SharedGraph,
    names: Sequence[str],
) -> tuple[list[HeadGradients], list[list]]:
    """Computes gradients with a backward pass through each head.

    A group of heads needs one pass.

    Args:
        tape: Persistent tape of the heads.
        losses: The task losses.
        features: The shared features.
        copies: The inputs of each head group (see
            `HeadGroup.copy_features`).
        graph: The model, split into a shared part and heads.
        names: Names of the tasks, in the order of `losses`.

    Returns:
        A list of the `HeadGradients` of each task, and a list with the
        gradients of the variables of each group.
    """
    by_task = dict(zip(names, losses, strict=True))
    heads, groups = {}, []
    for group, copy in zip(graph.groups, copies, strict=True):
        # A loss depends only on its copy and on its slices of the variables.
        group_losses = [by_task[n] for n in group.tasks if n in by_task]
        if not group_losses:
            groups.append([None] * len(group.variables))
            continue
        copy_gradient, *gradients = tape.gradient(
            group_losses, [copy, *group.variables]
        )
        groups.append(gradients)
        for name, gradient in zip(
            group.tasks, tf.unstack(copy_gradient, axis=1), strict=True
        ):
            feature_gradients = [None] * len(features)
            feature_gradients[group.feature_index] = gradient
            nothing = [None] * len(graph.shared)
            heads[name] = HeadGradients(feature_gradients, [], nothing)
    for name, loss in by_task.items():
        if name in heads:
            continue
        variables, shared = graph.task_variables[name], graph.shared
        gradients = tape.gradient(loss, [*features, *variables, *shared])
        first, second = len(features), len(features) + len(variables)
        heads[name] = HeadGradients(
            gradients[:first], gradients[first:second], gradients[second:]
        )
    return [heads[name] for name in names], groups


class SharedBackward:
    """The backward pass from the features to the shared parameters.

    Args:
        tape: Persistent tape of the shared part.
        features: The shared features.
        shared: The shared parameters.
    """

    def __init__(self, tape: tf.GradientTape, features: list, shared: Sequence):
        self._tape = tape
        self._features = features
        self.shared = shared

    def __call__(self, feature_gradients: list, direct: list) -> list:
        """Computes the gradients of the shared parameters.

        Args:
            feature_gradients: Gradients at the features; `None` is zero.
            direct: Gradients from heads that read shared parameters directly
                (see `HeadGradients.shared`); they are added.
        """
        pairs = [
            (feature, gradient)
            for feature, gradient in zip(
                self._features, feature_gradients, strict=True
            )
            if gradient is not None
        ]
        gradients = [None] * len(self.shared)
        if pairs and self.shared:
            targets, seeds = zip(*pairs, strict=True)
            gradients = self._tape.gradient(
                list(targets), list(self.shared), output_gradients=list(seeds)
            )
        pairs = zip(gradients, direct, strict=True)
        return [add_gradients(*pair) for pair in pairs]


def add_gradients(first, second):
    """Adds two gradients; each may be `None`."""
    if first is None or second is None:
        return first if second is None else second
    return tf.convert_to_tensor(first) + tf.convert_to_tensor(second)
