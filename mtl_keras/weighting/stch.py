"""Minimizes a smooth maximum of the losses."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import keras
import tensorflow as tf

from mtl_keras.weighting.adjustable import Adjustable
from mtl_keras.weighting.arguments import (
    check_integer,
    check_task_names,
    check_task_numbers,
)
from mtl_keras.weighting.present_tasks import (
    count_present,
    fill_absent,
    is_present,
)
from mtl_keras.weighting.weighting import Weighting


@keras.saving.register_keras_serializable("mtl_keras")
class STCH(Weighting):
    """Minimizes a smooth maximum (smooth Tchebycheff scalarization).

    During the warm-up epochs, the combined loss is `sum(log L_i)`. After that
    it is `n mu logsumexp(p_i log(L_i / nadir_i) / mu)`, a smooth version of the
    maximum over the `n` tasks with labels. The nadir is the task's mean loss in
    the last epoch of the warm-up. As in the authors' code, the factor `n` keeps
    the effective learning rate of the warm-up.

    The user's loss weights cancel out between loss and nadir; use preferences
    instead.

    Args:
        mu: Smoothness, greater than 0. Smaller values give the largest term
            more weight. Defaults to `1.0`.
        warmup_epochs: Number of warm-up epochs. With 0, there is no nadir and
            no logarithm: the loss is `n mu logsumexp(p_i L_i / mu)` from the
            first step. Defaults to `4`.
        preferences: Dict from task name to preference `p_i`, 0 or more.
            Defaults to 1 for all tasks that are not in the dict.
        name: Name of the weighting.

    Raises:
        TypeError: If `preferences` is not a dict.
        ValueError: If an argument is out of range, or the model has no task of
            a given name.

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
        """Creates the nadir. See `Weighting.build`."""
        super().build(task_names)
        check_task_names("preferences", self.preferences, task_names)
        self._preferences = [self.preferences.get(t, 1.0) for t in task_names]
        # 0 marks a task without labels so far.
        self._nadir = self.add_state("nadir", (self.num_tasks,))
        self._epochs = self.add_state("epochs", (), dtype="int32")

    def combine(self, losses):
        """Computes the smooth maximum. See `Weighting.combine`."""
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
        """Sets the nadir in the warm-up. See `Weighting.on_epoch_end`."""
        losses = tf.convert_to_tensor(mean_losses, "float32")
        nadir = tf.convert_to_tensor(self._nadir.value)
        # A task without labels in the warm-up gets its nadir later.
        unset = (self._epochs.value < self.warmup_epochs) | (nadir == 0.0)
        self._nadir.assign(tf.where(unset & is_present(losses), losses, nadir))
        self._epochs.assign_add(1)

    def get_config(self) -> dict:
        return {
            **super().get_config(),
            "mu": self.mu,
            "warmup_epochs": self.warmup_epochs,
            "preferences": dict(self.preferences),
        }
