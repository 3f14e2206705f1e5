"""A smooth maximum of the losses."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import keras
import tensorflow as tf

from mtl_keras.weighting.adjustable import Adjustable
from mtl_keras.weighting.arguments import (
    check_task_numbers,
    check_integer,
    check_task_names,
)
from mtl_keras.weighting.present_tasks import (
    count_present,
    fill_absent,
    is_present,
)
from mtl_keras.weighting.weighting import Weighting


@keras.saving.register_keras_serializable("mtl_keras")
class STCH(Weighting):
    """Descends along a smooth maximum (smooth Tchebycheff scalarization).

    In a warm-up of some epochs the combined loss is `sum(log L_i)`. From then
    on it is `n mu logsumexp(p_i log(L_i / nadir_i) / mu)`, a smooth version of
    the largest term, over the `n` tasks that have labels. The nadir is the
    task's mean loss in the last epoch of the warm-up. As in the authors' code,
    the factor `n` keeps the learning rate what it was in the warm-up.

    User weights of the losses cancel out between loss and nadir; preferences
    take their place.

    Args:
        mu: Smoothness, greater than 0. The smaller, the more the largest term
            counts alone. Defaults to `1.0`.
        warmup_epochs: Number of epochs of the warm-up. 0 leaves out nadir and
            logarithm: the loss is then `n mu logsumexp(p_i L_i / mu)` from
            the first step on. Defaults to `4`.
        preferences: Dict from task name to preference `p_i`, 0 or more.
            Tasks that are not named have 1. Defaults to 1 for all tasks.
        name: Name of the weighting.

    Raises:
        TypeError: If `preferences` is no dict.
        ValueError: If an argument is out of range, or names no task.

    Reference:
        Lin et al., "Smooth Tchebycheff Scalarization for Multi-Objective
        Optimization", ICML 2024.

    Example:

    >>> weighting = mtl_keras.weighting.STCH(warmup_epochs=1)
    >>> weighting.build(["left", "right"])
    >>> losses = np.array([2.0, 2.0], "float32")
    >>> round(float(weighting.combine(losses)), 4)
    1.3863
    >>> weighting.on_epoch_end(losses)
    >>> round(float(weighting.combine(losses)), 4)
    1.3863
    """

    positive_losses = True
    mu = Adjustable(greater_than=0)

    def __init__(
        self,
        mu: float = 1.0,
        warmup_epochs: int = 4,
        preferences: Mapping[str, float] | None = None,
        name: str | None = None,
    ):
        super().__init__(name=name)
        self.mu = mu
        self.warmup_epochs = check_integer(
            "warmup_epochs", warmup_epochs, min_value=0
        )
        self.preferences = check_task_numbers(
            "preferences", preferences or {}, min_value=0
        )

    def build(self, task_names: Sequence[str]) -> None:
        """Makes the nadir. See `Weighting.build`."""
        super().build(task_names)
        check_task_names("preferences", self.preferences, task_names)
        self._preferences = [self.preferences.get(t, 1.0) for t in task_names]
        # 0 stands for a task that no epoch has seen.
        self._nadir = self.add_state("nadir", (self.num_tasks,))
        self._epochs = self.add_state("epochs", (), dtype="int32")

    def combine(self, losses):
        """Takes the smooth maximum. See `Weighting.combine`."""
        if not self.warmup_epochs:
            return self._smooth_maximum(losses, losses)
        logs = tf.math.log(fill_absent(losses))
        nadir = tf.convert_to_tensor(self._nadir.value)
        distances = logs - tf.math.log(fill_absent(nadir))
        return tf.where(
            self._epochs.value < self.warmup_epochs,
            tf.reduce_sum(logs),
            self._smooth_maximum(distances, losses),
        )

    def _smooth_maximum(self, distances, losses):
        mu = self.adjustable_value("mu")
        present = is_present(losses)
        exponents = tf.constant(self._preferences) * distances / mu
        lowest = tf.fill(exponents.shape, tf.float32.min)
        maximum = tf.reduce_logsumexp(tf.where(present, exponents, lowest))
        maximum = count_present(losses) * mu * maximum
        return tf.where(tf.reduce_any(present), maximum, 0.0)

    def on_epoch_end(self, mean_losses) -> None:
        """Takes the nadir in the warm-up. See `Weighting.on_epoch_end`."""
        losses = tf.convert_to_tensor(mean_losses, "float32")
        nadir = tf.convert_to_tensor(self._nadir.value)
        # A task that was never there in the warm-up starts when it comes.
        open_ = (self._epochs.value < self.warmup_epochs) | (nadir == 0.0)
        self._nadir.assign(tf.where(open_ & is_present(losses), losses, nadir))
        self._epochs.assign_add(1)

    def get_config(self) -> dict:
        return {
            **super().get_config(),
            "mu": self.mu,
            "warmup_epochs": self.warmup_epochs,
            "preferences": dict(self.preferences),
        }
