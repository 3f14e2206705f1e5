"""Whether the losses and gradients of a step are finite, task by task."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import tensorflow as tf


class Finiteness(NamedTuple):
    """What of a step is finite: neither NaN nor infinite.

    Args:
        losses: Booleans of shape `(tasks,)`.
        gradients: Booleans of shape `(tasks,)`: the gradient of each task, as
            far as it was looked at.
        update: A boolean: all that is about to be applied.
    """

    losses: object
    gradients: object
    update: object

    def as_vector(self):
        """Booleans of shape `(2 * tasks + 1,)`: one after the other."""
        return tf.concat(
            [self.losses, self.gradients, self.update[tf.newaxis]], axis=0
        )


def all_finite(gradients: Sequence):
    """Whether no number in a list of gradients is NaN or infinite.

    Args:
        gradients: Tensors; `None` is finite.

    Returns:
        A boolean scalar.
    """
    found = [
        tf.reduce_all(tf.math.is_finite(tf.convert_to_tensor(gradient)))
        for gradient in gradients
        if gradient is not None
    ]
    return tf.reduce_all(tf.stack(found)) if found else tf.constant(True)


def blank_unless(finite, *tensors) -> list:
    """Replaces tensors by zeros, which say "no labels" to a weighting.

    A step that is about to be skipped must not spoil what the method
    remembers.

    Args:
        finite: A boolean scalar.
        tensors: What the method would see.
    """
    return [
        tf.where(finite, tensor, tf.zeros_like(tensor)) for tensor in tensors
    ]
