"""Weights tasks by the rate at which their losses decrease."""

from __future__ import annotations

from collections.abc import Sequence

import keras
import tensorflow as tf

from mtl_keras.weighting.adjustable import Adjustable
from mtl_keras.weighting.present_tasks import is_present, weighted_sum
from mtl_keras.weighting.weighting import Weighting

# Infinite ratios would make the softmax NaN.
_MAX_RATIO = 1e30


@keras.saving.register_keras_serializable("mtl_keras")
class DWA(Weighting):
    """Weights tasks by how little they improve (dynamic weight average).

    The weights are `w = K softmax(r / T)`, where `r_i` is the ratio of the
    task's mean losses in the last two epochs. In the first two epochs, all
    weights are 1. The weights sum to the number of tasks `K`.

    An epoch without labels of a task does not count for that task.

    Args:
        temperature: `T`, greater than 0. Larger values make the weights more
            equal. Defaults to `2.0`.
        name: Name of the weighting.

    Raises:
        ValueError: If `temperature` is not greater than 0.

    Reference:
        Liu et al., "End-to-End Multi-Task Learning with Attention", CVPR 2019.

    Example:

    >>> weighting = mtl_keras.weighting.DWA()
    >>> weighting.build(["left", "right"])
    >>> losses = np.array([1.0, 1.0], "float32")
    >>> weighting.on_epoch_end(losses)
    >>> weighting.on_epoch_end(losses)
    >>> float(weighting.combine(losses))
    2.0
    """

    temperature = Adjustable(greater_than=0)

    def __init__(self, temperature: float = 2.0, name: str | None = None):
        super().__init__(name=name)
        self.temperature = temperature

    def build(self, task_names: Sequence[str]) -> None:
        """Creates the history of two epochs. See `Weighting.build`."""
        super().build(task_names)
        shape = (self.num_tasks,)
        self._last = self.add_state("last_losses", shape)
        self._before = self.add_state("losses_before", shape)
        self._epochs = self.add_state("epochs", shape, dtype="int32")

    def combine(self, losses):
        """Sums the weighted losses. See `Weighting.combine`."""
        temperature = self.adjustable_value("temperature")
        ones = tf.ones((self.num_tasks,))
        known = tf.convert_to_tensor(self._epochs.value) >= 2
        ratios = self._last.value / tf.where(known, self._before.value, ones)
        ratios = tf.where(known, tf.minimum(ratios, _MAX_RATIO), ones)
        weights = self.num_tasks * tf.nn.softmax(ratios / temperature)
        return weighted_sum(losses, weights)

    def on_epoch_end(self, mean_losses) -> None:
        """Stores the losses. See `Weighting.on_epoch_end`."""
        losses = tf.convert_to_tensor(mean_losses, "float32")
        seen = is_present(losses)
        last = tf.convert_to_tensor(self._last.value)
        self._before.assign(tf.where(seen, last, self._before.value))
        self._last.assign(tf.where(seen, losses, last))
        self._epochs.assign_add(tf.cast(seen, "int32"))

    def get_config(self) -> dict:
        return {**super().get_config(), "temperature": self.temperature}
