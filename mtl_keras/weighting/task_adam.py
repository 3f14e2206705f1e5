"""Adam for task weights that a method trains itself."""

from __future__ import annotations

import keras
import tensorflow as tf

from mtl_keras.weighting.weighting import Weighting

_BETAS = (0.9, 0.999)
_EPSILON = 1e-8


class TaskAdam:
    """Adam for a vector with one value for each task.

    The averages are `m <- b1 m + (1 - b1) g` and `v <- b2 v + (1 - b2) g^2`. A
    step subtracts `rate m' / (sqrt(v') + epsilon)` from the value, where `m'`
    and `v'` are the bias-corrected averages. Each task counts its own steps: a
    task without labels does not change. The averages are state of the
    weighting.

    Args:
        weighting: The weighting that owns the values.
        values: Variable of shape `(tasks,)`.

    Reference:
        Kingma and Ba, "Adam", ICLR 2015.
    """

    def __init__(self, weighting: Weighting, values: keras.Variable):
        self.values = values
        self._mean = weighting.add_state("adam_mean", values.shape)
        self._square = weighting.add_state("adam_square", values.shape)
        self._counts = weighting.add_state("adam_counts", values.shape)

    def descend(
        self, gradient, present, learning_rate, weight_decay=0.0
    ) -> None:
        """Takes one step.

        Args:
            gradient: Float32 tensor of shape `(tasks,)`.
            present: Booleans of shape `(tasks,)`: the values to change.
            learning_rate: Learning rate, a scalar.
            weight_decay: Factor of the values that are added to the gradient,
                a scalar. Defaults to `0`.
        """
        old = tf.convert_to_tensor(self.values.value)
        gradient = gradient + weight_decay * old
        mean = _average(self._mean, gradient, _BETAS[0])
        square = _average(self._square, gradient**2, _BETAS[1])
        counts = self._counts.value + 1.0
        corrected = mean / (1.0 - _BETAS[0] ** counts)
        scale = tf.sqrt(square / (1.0 - _BETAS[1] ** counts)) + _EPSILON
        new = old - learning_rate * corrected / scale
        for variable, value in (
            (self.values, new),
            (self._mean, mean),
            (self._square, square),
            (self._counts, counts),
        ):
            variable.assign(tf.where(present, value, variable.value))


def _average(variable, value, beta):
    """Updates a running average with a value."""
    return beta * variable.value + (1.0 - beta) * value
