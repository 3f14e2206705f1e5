"""Checks whether the losses and gradients of a step are finite."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import tensorflow as tf


class Finiteness(NamedTuple):
    """Flags for the values of a step that are finite, not NaN or infinite.

    Args:
        losses: Boolean tensor of shape `(tasks,)` for the losses.
        gradients: Boolean tensor of shape `(tasks,)` for the task gradients.
        update: Boolean scalar for the whole update.
    """

    losses: object
    gradients: object
    update: object

    def as_vector(self):
        """Concatenates all to a boolean vector of length `2 * tasks + 1`."""
        return tf.concat(
            [self.losses, self.gradients, self.update[tf.newaxis]], axis=0
        )


def all_finite(gradients: Sequence):
    """Checks that all gradients in a list are finite.

    Args:
        gradients: Tensors; `None` is finite.

    Returns:
        A boolean scalar.
    """
    is_finite = [
        tf.reduce_all(tf.math.is_finite(tf.convert_to_tensor(gradient)))
        for gradient in gradients
        if gradient is not None
    ]
    if not is_finite:
        return tf.constant(True)
    return tf.reduce_all(tf.stack(is_finite))


def zero_unless(finite, *tensors) -> list:
    """Replaces tensors with zeros unless a step is finite.

    Zeros mean "no labels" to a weighting, so a skipped step does not corrupt
    its state.

    Args:
        finite: Boolean scalar.
        *tensors: The inputs of the weighting.
    """
    return [
        tf.where(finite, tensor, tf.zeros_like(tensor)) for tensor in tensors
    ]
