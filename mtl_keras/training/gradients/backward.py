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
    graph: SharedGraph,
    names: Sequence[str],
) -> list[HeadGradients]:
    """Takes a backward pass through each task's own part.

    Args:
        tape: A persistent tape of the tasks' own parts.
        losses: The task losses.
        features: What the shared part returned.
        graph: The model, cut where it parts into tasks.
        names: Names of the tasks, in the order of `losses`.
    """
    gradients = []
    for loss, name in zip(losses, names, strict=True):
        own, shared = graph.of_task[name], graph.shared
        found = tape.gradient(loss, [*features, *own, *shared])
        first, second = len(features), len(features) + len(own)
        gradients.append(
            HeadGradients(found[:first], found[first:second], found[second:])
        )
    return gradients


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
