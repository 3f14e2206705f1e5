"""Maximizes the smallest improvement near the mean gradient."""

from __future__ import annotations

import keras
import tensorflow as tf

from mtl_keras.weighting.adjustable import Adjustable
from mtl_keras.weighting.gramian import Gramian
from mtl_keras.weighting.gramian_weighting import GramianWeighting
from mtl_keras.weighting.max_min_gain import max_min_gain


@keras.saving.register_keras_serializable("mtl_keras")
class CAGrad(GramianWeighting):
    """Improves the worst task most, in a ball around the mean gradient.

    With the mean gradient `g_0`, the update `d` maximizes the smallest `g_i d`
    over `|d - g_0| <= c |g_0|` (conflict-averse gradient descent). It is
    `g_0 + c |g_0| g_w / |g_w|`, where `g_w = sum(w_i g_i)` and `w` minimizes
    `g_w g_0 + c |g_0| |g_w|` over the simplex. If `g_w` is zero, the update is
    one of the vectors in the ball that conflict with no task.

    The update is not rescaled, while LibMTL divides it by `1 + c^2` by default.

    Args:
        c: Radius of the ball relative to the length of `g_0`, 0 or more. With
            0, the update is the mean gradient; with 1 or more, it conflicts
            with no task. Defaults to `0.5`.
        name: Name of the weighting.

    Raises:
        ValueError: If `c` is negative.

    Reference:
        Liu et al., "Conflict-Averse Gradient Descent for Multi-task Learning",
        NeurIPS 2021.

    Example:

    >>> gradients = np.array([[-4.0, 1.0], [6.0, 1.0]])
    >>> weighting = mtl_keras.weighting.CAGrad(c=0.0)
    >>> weighting.build(["left", "right"])
    >>> weighting.weights(np.ones(2), gradients @ gradients.T).numpy().tolist()
    [0.5, 0.5]
    """

    c = Adjustable(min_value=0)

    def __init__(self, c: float = 0.5, name: str | None = None):
        super().__init__(name=name)
        self.c = c

    def solve(self, losses, gramian: Gramian):
        mean = gramian.mask / gramian.num_labelled
        radius = self.adjustable_value("c", "float64")
        products = tf.linalg.matvec(gramian.matrix, mean)
        length = tf.sqrt(tf.nn.relu(tf.reduce_sum(mean * products)))
        # Cosines of each gradient with the mean.
        cosines = tf.math.divide_no_nan(products / gramian.norms, length)
        parts = max_min_gain(gramian, cosines, radius)
        found = mean + length * parts / gramian.norms
        # For a radius of 0, `parts` has no meaningful direction.
        return tf.where(radius == 0.0, mean, found)

    def get_config(self) -> dict:
        return {**super().get_config(), "c": self.c}
