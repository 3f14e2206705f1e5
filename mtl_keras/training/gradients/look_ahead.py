"""Learns task weights from the effect of a step on a held-out loss."""

from __future__ import annotations

from collections.abc import Callable

import tensorflow as tf

from mtl_keras.distribution.replicas import sum_over_replicas
from mtl_keras.training.gradients.finiteness import zero_unless
from mtl_keras.weighting import AutoLambda


class LookAhead:
    """Evaluates a model at other parameters.

    The variables of the model do not change: dropout masks are those of the
    next training step, and updates of moving statistics are discarded.

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

    def losses(self, parameters: list, x, compute_losses: Callable):
        """Computes this replica's share of the task losses.

        Args:
            parameters: Values of the trainable variables.
            x: Inputs.
            compute_losses: Function from outputs to losses.

        Returns:
            Float32 tensor of shape `(tasks,)`.
        """
        y_pred, _ = self._model.stateless_call(
            parameters, self._state, x, training=True
        )
        return compute_losses(y_pred)

    def gradient(
        self, parameters: list, x, compute_losses: Callable, weights=None
    ):
        """Computes the gradient of the weighted losses of all replicas.

        Args:
            parameters: See `losses`.
            x: See `losses`.
            compute_losses: See `losses`.
            weights: Task weights of shape `(tasks,)`. Defaults to ones.
        """
        with tf.GradientTape() as tape:
            tape.watch(parameters)
            losses = self.losses(parameters, x, compute_losses)
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
    """Updates the task weights along the gradient of a held-out loss.

    Runs on each replica, before the training step.

    Args:
        model: A `MultiTaskModel`.
        weighting: The weighting of the model, which documents the formula.
        batch: Inputs of the training batch, and its function from outputs to
            losses.
        held_out: Inputs and function of a held-out batch.
    """
    look_ahead = LookAhead(model)
    start = look_ahead.parameters
    rate = tf.cast(model.optimizer.learning_rate, "float32")
    gradient = look_ahead.gradient(start, *batch, weighting.task_weights)
    moved = _move(start, gradient, -rate)
    direction = look_ahead.gradient(moved, *held_out)
    length = tf.linalg.global_norm(direction)
    epsilon = tf.math.divide_no_nan(weighting.perturbation, length)
    above, below = sum_over_replicas(
        [
            look_ahead.losses(_move(start, direction, sign * epsilon), *batch)
            for sign in (1.0, -1.0)
        ]
    )
    finite = tf.reduce_all(tf.math.is_finite(above + below))
    weighting.update(
        *zero_unless(finite, above, below), learning_rate=rate, epsilon=epsilon
    )


def _move(parameters: list, direction: list, length) -> list:
    return [
        parameter + tf.cast(length, parameter.dtype) * along
        for parameter, along in zip(parameters, direction, strict=True)
    ]
