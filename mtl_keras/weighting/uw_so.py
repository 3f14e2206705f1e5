"""Weights tasks by the optimal uncertainty, with a softmax."""

from __future__ import annotations

import keras
import tensorflow as tf

from mtl_keras.weighting.adjustable import Adjustable
from mtl_keras.weighting.present_tasks import (
    fill_absent,
    softmax_over_present,
    weighted_sum,
)
from mtl_keras.weighting.weighting import Weighting

# Infinite logits, of losses close to 0, would make the softmax NaN.
_MAX_LOGIT = 1e30


@keras.saving.register_keras_serializable("mtl_keras")
class UWSO(Weighting):
    """Weights each task by its optimal uncertainty, with a softmax (UW-SO).

    The weights are `w = softmax((1 / L_i) / T)`, without a gradient. For
    constant losses, the learned weights of `Uncertainty` converge to
    `1 / (2 L_i)`. The task with the smallest loss gets the largest weight. The
    weights sum to 1, so that the effective learning rate is 1/K of that of
    equal weights.

    Args:
        temperature: `T`, greater than 0. Larger values make the weights more
            equal. It needs tuning, typically between 1 and 20, and larger
            values for small losses. Defaults to `1.0`.
        name: Name of the weighting.

    Raises:
        ValueError: If `temperature` is not greater than 0.

    Reference:
        Kirchdorfer et al., "Analytical Uncertainty-Based Loss Weighting in
        Multi-Task Learning", GCPR 2024.

    Example:

    >>> weighting = mtl_keras.weighting.UWSO(temperature=2.0)
    >>> weighting.build(["left", "right"])
    >>> losses = np.array([0.5, 0.5], "float32")
    >>> float(weighting.combine(losses))
    0.5
    """

    positive_losses = True

    temperature = Adjustable(greater_than=0)

    def __init__(self, temperature: float = 1.0, name: str | None = None):
        super().__init__(name=name)
        self.temperature = temperature

    def combine(self, losses):
        """Sums the weighted losses. See `Weighting.combine`."""
        logits = (
            1.0 / fill_absent(losses) / self.adjustable_value("temperature")
        )
        logits = tf.minimum(logits, _MAX_LOGIT)
        return weighted_sum(losses, softmax_over_present(logits, losses))

    def get_config(self) -> dict:
        return {**super().get_config(), "temperature": self.temperature}
