"""What a step of training would do to a held-out loss, for the task weights."""

from __future__ import annotations

from collections.abc import Callable

import tensorflow as tf

from mtl_keras.distribution.replicas import sum_over_replicas
from mtl_keras.training.gradients.finiteness import blank_unless
from mtl_keras.weighting import AutoLambda


class LookAhead:
    """A model at parameters other than its own, which change nothing.

    Whatever it computes leaves the model's variables as they are: dropout
    masks are those that the training step will draw, and the statistics of
    batch normalization are forgotten.

    Args:
        model: A `MultiTaskModel`.
    """

    def __init__(self, model):
        self._model = model
        self.parameters = [
            tf.convert_to_tensor(variable.value)
            for variable in model.trainable_variables
        ]
        self._state = [
            variable.value for variable in model.non_trainable_variables
        ]

    def losses(self, parameters: list, x, losses_of: Callable):
        """This replica's share of the task losses.

        Args:
            parameters: Values of the model's trainable variables.
            x: Inputs.
            losses_of: Function from the outputs to the losses.

        Returns:
            Float32 tensor of shape `(tasks,)`.
        """
        y_pred, _ = self._model.stateless_call(
            parameters, self._state, x, training=True
        )
        return losses_of(y_pred)

    def gradient(self, parameters: list, x, losses_of: Callable, weights=None):
        """The gradient of a weighted sum of the losses, of all replicas.

        Args:
            parameters: See `losses`.
            x: See `losses`.
            losses_of: See `losses`.
            weights: Weights of the tasks. Defaults to 1 for each.
        """
        with tf.GradientTape() as tape:
            tape.watch(parameters)
            losses = self.losses(parameters, x, losses_of)
            loss = tf.reduce_sum(
                losses if weights is None else weights * losses
            )
        gradients = tape.gradient(
            loss, parameters, unconnected_gradients="zero"
        )
        return sum_over_replicas(gradients)


def learn_task_weights(
    model, weighting: AutoLambda, batch: tuple, held_out: tuple
) -> None:
    """Moves the task weights along the gradient of a held-out loss.

    Runs inside of a step, on each replica, before the step itself.

    Args:
        model: A `MultiTaskModel`.
        weighting: Its weighting, whose docstring has the formula.
        batch: Inputs of the training batch, and the function from outputs to
            losses that it defines.
        held_out: The same of a held-out batch.
    """
    ahead = LookAhead(model)
    start = ahead.parameters
    rate = tf.cast(model.optimizer.learning_rate, "float32")
    training = ahead.gradient(start, *batch, weighting.task_weights)
    moved = _move(start, training, -rate)
    direction = ahead.gradient(moved, *held_out)
    length = tf.linalg.global_norm(direction)
    epsilon = tf.math.divide_no_nan(weighting.perturbation, length)
    above, below = sum_over_replicas(
        [
            ahead.losses(_move(start, direction, sign * epsilon), *batch)
            for sign in (1.0, -1.0)
        ]
    )
    finite = tf.reduce_all(tf.math.is_finite(above + below))
    weighting.update(
        *blank_unless(finite, above, below), learning_rate=rate, epsilon=epsilon
    )


def _move(parameters: list, direction: list, length) -> list:
    return [
        parameter + tf.cast(length, parameter.dtype) * along
        for parameter, along in zip(parameters, direction, strict=True)
    ]
