"""Adapts weights so that all losses decrease at the same rate."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import keras
import tensorflow as tf

from mtl_keras.weighting.adjustable import Adjustable
from mtl_keras.weighting.arguments import (
    check_task_names,
    check_task_numbers,
)
from mtl_keras.weighting.present_tasks import (
    is_present,
    keep_present,
    softmax_over_present,
)
from mtl_keras.weighting.task_adam import TaskAdam
from mtl_keras.weighting.weighting import Weighting

_EPSILON = 1e-8


@keras.saving.register_keras_serializable("mtl_keras")
class FAMO(Weighting):
    """Weights tasks by how little their losses decreased in the last step.

    With `z = softmax(xi)` and `D_i = L_i - b_i + 1e-8`, the combined loss is
    `c sum(z_i log D_i)`. The constant `c = 1 / sum(z_i / D_i)` has no gradient
    and makes the task weights sum to 1. After the step, the losses of the same
    batch are computed again, and Adam trains `xi` by the decrease of each
    logarithm, `log D_old - log D_new`. This costs one more forward pass for any
    number of tasks.

    Unlike the authors' code, the method does not clip gradients; give the
    optimizer `global_clipnorm=1.0` for that.

    Args:
        learning_rate: Learning rate of `xi`, greater than 0. Defaults to
            `0.025`.
        weight_decay: Weight decay of `xi`, which pulls `z` towards equal
            values, 0 or more. Defaults to `1e-3`.
        min_losses: Dict from task name to the lower bound `b_i` of the loss,
            times the user's loss weight. Defaults to 0 for all tasks that are
            not in the dict.
        name: Name of the weighting.

    Raises:
        TypeError: If `min_losses` is not a dict.
        ValueError: If an argument is out of range, or the model has no task of
            a given name.

    Reference:
        Liu et al., "FAMO: Fast Adaptive Multitask Optimization", NeurIPS 2023.

    Example:

    >>> weighting = mtl_keras.weighting.FAMO()
    >>> weighting.build(["left", "right"])
    >>> losses = np.array([1.0, 1.0], "float32")
    >>> round(float(weighting.combine(np.exp(losses))), 4)
    2.7183
    >>> weighting.after_step(losses)
    """

    positive_losses = True
    needs_losses_after_step = True
    learning_rate = Adjustable(greater_than=0)
    weight_decay = Adjustable(min_value=0)

    def __init__(
        self,
        learning_rate: float = 0.025,
        weight_decay: float = 1e-3,
        min_losses: Mapping[str, float] | None = None,
        name: str | None = None,
    ):
        super().__init__(name=name)
        self.learning_rate = learning_rate
        self.weight_decay = weight_decay
        self.min_losses = check_task_numbers("min_losses", min_losses or {})
        # With a custom bound, a loss may be negative.
        self.positive_losses = not self.min_losses

    def build(self, task_names: Sequence[str]) -> None:
        """Creates `xi` and its Adam. See `Weighting.build`."""
        super().build(task_names)
        check_task_names("min_losses", self.min_losses, task_names)
        self._bounds = [self.min_losses.get(task, 0.0) for task in task_names]
        shape = (self.num_tasks,)
        self._logits = self.add_state("logits", shape)
        self._losses_before = self.add_state("losses_before", shape)
        self._adam = TaskAdam(self, self._logits)

    def combine(self, losses):
        """Sums the weighted logarithms. See `Weighting.combine`."""
        self._losses_before.assign(losses)
        weights = softmax_over_present(self._logits.value, losses)
        distances = self._distances(losses)
        scale = tf.reduce_sum(keep_present(weights / distances, losses))
        logs = keep_present(weights * tf.math.log(distances), losses)
        return tf.math.divide_no_nan(
            tf.reduce_sum(logs), tf.stop_gradient(scale)
        )

    def after_step(self, losses) -> None:
        """Trains `xi` by the decrease. See `Weighting.after_step`."""
        before = tf.convert_to_tensor(self._losses_before.value)
        # A loss may reach 0 in the step; its logarithm is then that of 1e-8.
        fall = tf.math.log(self._distances(before))
        fall = keep_present(fall - tf.math.log(self._distances(losses)), before)
        weights = softmax_over_present(self._logits.value, before)
        gradient = weights * (fall - tf.reduce_sum(weights * fall))
        self._adam.descend(
            gradient,
            is_present(before),
            self.adjustable_value("learning_rate"),
            self.adjustable_value("weight_decay"),
        )

    def _distances(self, losses):
        # Losses below their bound count as at the bound.
        return tf.maximum(losses - tf.constant(self._bounds), 0.0) + _EPSILON

    def get_config(self) -> dict:
        return {
            **super().get_config(),
            "learning_rate": self.learning_rate,
            "weight_decay": self.weight_decay,
            "min_losses": dict(self.min_losses),
        }
