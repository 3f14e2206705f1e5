"""Learns weights that train all tasks at similar rates."""

from __future__ import annotations

from collections.abc import Sequence

import keras
import tensorflow as tf

from mtl_keras.weighting.adjustable import Adjustable
from mtl_keras.weighting.gramian import Gramian
from mtl_keras.weighting.gramian_weighting import GramianWeighting
from mtl_keras.weighting.task_adam import TaskAdam

# A weight of 0 has no gradient and could not grow again.
_MIN_WEIGHT = 1e-3


@keras.saving.register_keras_serializable("mtl_keras")
class GradNorm(GramianWeighting):
    """Learns weights that train all tasks at similar rates.

    Tasks that train slowly get longer gradients. With `n_i = w_i |g_i|`, the
    rates `r_i = (L_i / L_i(0)) / mean(L / L(0))` and the targets
    `t_i = mean(n) r_i^alpha`, Adam minimizes `sum(|n_i - t_i|) / mean(|g|)`
    with constant targets. The weights start at 1 and are scaled to the sum `K`
    after each step. `L_i(0)` is the task's first loss.

    Norms are those over all shared parameters; the paper uses the last shared
    layer. The division by the mean norm makes the method independent of the
    scale of the losses.

    Args:
        alpha: Strength of the pull towards equal rates, 0 or more. With 0, all
            gradients get the same length. Defaults to `1.5`.
        learning_rate: Learning rate of the weights, greater than 0. Defaults
            to `0.025`.
        name: Name of the weighting.

    Raises:
        ValueError: If `alpha` is negative or `learning_rate` is not greater
            than 0.

    Reference:
        Chen et al., "GradNorm: Gradient Normalization for Adaptive Loss
        Balancing in Deep Multitask Networks", ICML 2018.

    Example:

    >>> weighting = mtl_keras.weighting.GradNorm()
    >>> weighting.build(["left", "right"])
    >>> losses, gramian = np.ones(2), np.diag([1.0, 9.0])
    >>> weighting.weights(losses, gramian).numpy().tolist()
    [1.0, 1.0]
    >>> weights = weighting.weights(losses, gramian)
    >>> [round(float(weight), 3) for weight in weights]
    [1.025, 0.975]
    """

    positive_losses = True
    alpha = Adjustable(min_value=0)
    learning_rate = Adjustable(greater_than=0)

    def __init__(
        self,
        alpha: float = 1.5,
        learning_rate: float = 0.025,
        name: str | None = None,
    ):
        super().__init__(name=name)
        self.alpha = alpha
        self.learning_rate = learning_rate

    def build(self, task_names: Sequence[str]) -> None:
        """Creates the weights and first losses. See `Weighting.build`."""
        super().build(task_names)
        shape = (self.num_tasks,)
        self._weights = self.add_state("weights", shape, value=1.0)
        self._first = self.add_state("first_losses", shape)
        self._adam = TaskAdam(self, self._weights)

    def solve(self, losses, gramian: Gramian):
        losses = tf.convert_to_tensor(losses, tf.float32)
        weights = tf.identity(tf.convert_to_tensor(self._weights.value))
        present = gramian.labelled & (losses > 0) & tf.math.is_finite(losses)
        first = tf.convert_to_tensor(self._first.value)
        first = tf.where(present & (first == 0), losses, first)
        self._first.assign(first)
        ones = tf.ones_like(losses)
        ratios = tf.where(present, losses, ones) / tf.where(
            present, first, ones
        )
        norms = tf.cast(gramian.norms, tf.float32)
        norms /= _mean(norms, present)
        lengths = weights * norms
        rates = ratios / _mean(ratios, present)
        targets = _mean(lengths, present) * rates ** self.adjustable_value(
            "alpha"
        )
        self._adam.descend(
            tf.sign(lengths - targets) * norms,
            present,
            self.adjustable_value("learning_rate"),
        )
        self._rescale(weights, present)
        return tf.cast(weights, tf.float64)

    def _rescale(self, before, present):
        """Scales the updated weights to the sum of the old ones."""
        moved = tf.maximum(self._weights.value, _MIN_WEIGHT)
        scale = _mean(before, present) / _mean(moved, present)
        self._weights.assign(tf.where(present, moved * scale, before))

    def get_config(self) -> dict:
        return {
            **super().get_config(),
            "alpha": self.alpha,
            "learning_rate": self.learning_rate,
        }


def _mean(values, present):
    """Computes the mean over the present tasks; 1 if there are none."""
    count = tf.reduce_sum(tf.cast(present, values.dtype))
    total = tf.reduce_sum(tf.where(present, values, tf.zeros_like(values)))
    return tf.where(count > 0, total / tf.maximum(count, 1.0), 1.0)
