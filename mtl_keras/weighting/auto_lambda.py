"""Learns weights from held-out data."""

from __future__ import annotations

from collections.abc import Sequence

import keras
import tensorflow as tf

from mtl_keras.weighting.adjustable import Adjustable
from mtl_keras.weighting.arguments import check_number
from mtl_keras.weighting.present_tasks import is_present, weighted_sum
from mtl_keras.weighting.task_adam import TaskAdam
from mtl_keras.weighting.weighting import Weighting


@keras.saving.register_keras_serializable("mtl_keras")
class AutoLambda(Weighting):
    """Learns weights for tasks whose training helps on held-out data.

    The combined loss is `sum(w_i L_i)`. Adam trains the weights by the gradient
    of a held-out loss through one training step. With the parameters `t`, the
    learning rate `a`, `t' = t - a grad sum(w_i L_i(t))`, the gradient `v` of
    the held-out loss at `t'` and `e = perturbation / |v|`, that gradient is
    `-a (L_i(t + e v) - L_i(t - e v)) / (2 e)`.

    Pass the held-out data to `fit(..., held_out_data=...)`. Use separate data:
    neither training data nor the validation data that selects the model. A
    step costs about three times a step without a weighting.

    Args:
        initial_weight: Initial weight of every task, greater than 0. Defaults
            to `0.1`.
        learning_rate: Learning rate of the weights, greater than 0. Defaults
            to `1e-4`.
        perturbation: Length of the step `e v`, greater than 0. Defaults to
            `0.01`.
        name: Name of the weighting.

    Raises:
        ValueError: If an argument is not greater than 0.

    Reference:
        Liu et al., "Auto-Lambda: Disentangling Dynamic Task Relationships",
        TMLR 2022.

    Example:

    >>> weighting = mtl_keras.weighting.AutoLambda(0.5, learning_rate=0.25)
    >>> weighting.build(["left", "right"])
    >>> above = np.array([1.0, 2.0], "float32")
    >>> below = np.array([2.0, 1.0], "float32")
    >>> weighting.update(above, below, learning_rate=0.1, epsilon=0.01)
    >>> round(float(weighting.combine(np.array([2.0, 4.0], "float32"))), 3)
    3.5
    """

    needs_held_out_data = True
    learning_rate = Adjustable(greater_than=0)

    def __init__(
        self,
        initial_weight: float = 0.1,
        learning_rate: float = 1e-4,
        perturbation: float = 0.01,
        name: str | None = None,
    ):
        super().__init__(name=name)
        self.initial_weight = check_number(
            "initial_weight", initial_weight, greater_than=0
        )
        self.learning_rate = learning_rate
        self.perturbation = check_number(
            "perturbation", perturbation, greater_than=0
        )

    def build(self, task_names: Sequence[str]) -> None:
        """Creates the weights and their Adam. See `Weighting.build`."""
        super().build(task_names)
        self._weights = self.add_state(
            "weights", (self.num_tasks,), value=self.initial_weight
        )
        self._adam = TaskAdam(self, self._weights)

    @property
    def task_weights(self):
        """Weights of the tasks, a float32 tensor of shape `(tasks,)`."""
        return tf.convert_to_tensor(self._weights.value)

    def combine(self, losses):
        """Sums the weighted losses. See `Weighting.combine`."""
        return weighted_sum(losses, self.task_weights)

    def update(
        self, losses_above, losses_below, learning_rate, epsilon
    ) -> None:
        """Updates the weights by the gradient of the held-out loss.

        Args:
            losses_above: Training losses at `t + e v`, of shape `(tasks,)`.
            losses_below: Training losses at `t - e v`, of shape `(tasks,)`.
            learning_rate: `a`, the learning rate of the parameters.
            epsilon: `e = perturbation / |v|`.
        """
        # Where the held-out loss is flat, there is nothing to learn.
        slope = tf.math.divide_no_nan(
            losses_above - losses_below, 2.0 * epsilon
        )
        self._adam.descend(
            -learning_rate * slope,
            is_present(losses_above),
            self.adjustable_value("learning_rate"),
        )

    def get_config(self) -> dict:
        return {
            **super().get_config(),
            "initial_weight": self.initial_weight,
            "learning_rate": self.learning_rate,
            "perturbation": self.perturbation,
        }
