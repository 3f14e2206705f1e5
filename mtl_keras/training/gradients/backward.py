"""Backward passes: through the tasks' own parts, and through the shared one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import tensorflow as tf

from mtl_keras.training.gradients.shared_graph import SharedGraph


class HeadGradients(NamedTuple):
    """Gradients of one task's loss, as far as its own part reaches.

    Args:
        features: At what the shared part hands over, a list.
        own: Of the parameters that this task alone reaches, a list.
        shared: Of the shared parameters, by way of layers that several tasks'
            own parts call, a list.
    """

    features: list
    own: list
    shared: list


def gradients_of_heads(
    tape: tf.GradientTape,
    losses: Sequence,
    features: list,
    copies: list,
    graph: SharedGraph,
    names: Sequence[str],
) -> tuple[list[HeadGradients], list[list]]:
    """Takes a backward pass through each task's own part.

    Heads that are computed together take one pass for all of them.

    Args:
        tape: A persistent tape of the tasks' own parts.
        losses: The task losses.
        features: What the shared part returned.
        copies: What each group reads, see `HeadGroup.copy`.
        graph: The model, cut where it parts into tasks.
        names: Names of the tasks, in the order of `losses`.

    Returns:
        `HeadGradients` of each task, and for each group the gradients of its
        variables, which are those of all its tasks.
    """
    by_task = dict(zip(names, losses, strict=True))
    heads, groups = {}, []
    for group, copy in zip(graph.groups, copies, strict=True):
        # Each loss reaches its own copy and its own slices alone.
        of_group = [by_task[name] for name in group.tasks if name in by_task]
        if not of_group:
            groups.append([None] * len(group.variables))
            continue
        of_copy, *own = tape.gradient(of_group, [copy, *group.variables])
        groups.append(own)
        for name, gradient in zip(
            group.tasks, tf.unstack(of_copy, axis=1), strict=True
        ):
            of_features = [None] * len(features)
            of_features[group.reads] = gradient
            nothing = [None] * len(graph.shared)
            heads[name] = HeadGradients(of_features, [], nothing)
    for name, loss in by_task.items():
        if name in heads:
            continue
        own, shared = graph.of_task[name], graph.shared
        found = tape.gradient(loss, [*features, *own, *shared])
        first, second = len(features), len(features) + len(own)
        heads[name] = HeadGradients(
            found[:first], found[first:second], found[second:]
        )
    return [heads[name] for name in names], groups


class Backward:
    """The backward pass from the features to the shared parameters.

    Args:
        tape: A persistent tape of the shared part.
        features: What the shared part returned.
        shared: The shared parameters.
    """

    def __init__(self, tape: tf.GradientTape, features: list, shared: Sequence):
        self._tape = tape
        self._features = features
        self.shared = shared

    def __call__(self, of_features: list, of_heads: list) -> list:
        """Gradients of the shared parameters, from those at the features.

        Args:
            of_features: Gradients at the features; `None` is zero.
            of_heads: What `HeadGradients.shared` holds, to be added.
        """
        pairs = [
            (feature, gradient)
            for feature, gradient in zip(
                self._features, of_features, strict=True
            )
            if gradient is not None
        ]
        found = [None] * len(self.shared)
        if pairs and self.shared:
            targets, seeds = zip(*pairs, strict=True)
            found = self._tape.gradient(
                list(targets), list(self.shared), output_gradients=list(seeds)
            )
        return [add(*both) for both in zip(found, of_heads, strict=True)]


def add(first, second):
    """Adds two gradients, of which either may be `None`."""
    if first is None or second is None:
        return first if second is None else second
    return tf.convert_to_tensor(first) + tf.convert_to_tensor(second)
