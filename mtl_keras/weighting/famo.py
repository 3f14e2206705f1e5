"""Weights that make all losses fall at the same rate."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import keras
import tensorflow as tf

from mtl_keras.weighting.adjustable import Adjustable
from mtl_keras.weighting.arguments import (
    check_task_numbers,
    check_task_names,
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
    """Weights the tasks whose losses fell least in the last step.

    With `z = softmax(xi)` and `D_i = L_i - b_i + 1e-8` the combined loss is
    `c sum(z_i log D_i)`, `c = 1 / sum(z_i / D_i)` without a gradient, so that
    the task weights sum to 1. After the step, the losses of the same batch are
    computed once more, and Adam moves `xi` along the fall of each logarithm,
    `log D_old - log D_new`: a task that fell less than the others gets more.
    It costs one more forward pass, whatever the number of tasks.

    Args:
        learning_rate: Learning rate of `xi`, greater than 0. Defaults to
            `0.025`.
        weight_decay: Decay of `xi` towards 0, which is towards equal `z`, 0
            or more. Defaults to `1e-3`.
        min_losses: Dict from task name to the least value `b_i` that the loss
            can have, times the user's loss weight. Tasks that are not named
            have 0. Defaults to 0 for all tasks.
        name: Name of the weighting.

    Raises:
        TypeError: If `min_losses` is no dict.
        ValueError: If an argument is out of range, or names no task.

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
        # With a bound of its own, a loss may be below 0.
        self.positive_losses = not self.min_losses

    def build(self, task_names: Sequence[str]) -> None:
        """Makes `xi` and its Adam. See `Weighting.build`."""
        super().build(task_names)
        check_task_names("min_losses", self.min_losses, task_names)
        self._bounds = [self.min_losses.get(task, 0.0) for task in task_names]
        shape = (self.num_tasks,)
        self._logits = self.add_state("logits", shape)
        self._losses_before = self.add_state("losses_before", shape)
        self._adam = TaskAdam(self, self._logits)

    def combine(self, losses):
        """Sums weighted logarithms. See `Weighting.combine`."""
        self._losses_before.assign(losses)
        weights = softmax_over_present(self._logits.value, losses)
        distances = self._distances(losses)
        scale = tf.reduce_sum(keep_present(weights / distances, losses))
        logs = keep_present(weights * tf.math.log(distances), losses)
        return tf.math.divide_no_nan(
            tf.reduce_sum(logs), tf.stop_gradient(scale)
        )

    def after_step(self, losses) -> None:
        """Moves the weights by what fell. See `Weighting.after_step`."""
        before = tf.convert_to_tensor(self._losses_before.value)
        # A loss of 0 after the step was reached: its logarithm is that of 1e-8.
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
        # Losses that went below a bound that was given count as at the bound.
        return tf.maximum(losses - tf.constant(self._bounds), 0.0) + _EPSILON

    def get_config(self) -> dict:
        return {
            **super().get_config(),
            "learning_rate": self.learning_rate,
            "weight_decay": self.weight_decay,
            "min_losses": dict(self.min_losses),
        }
