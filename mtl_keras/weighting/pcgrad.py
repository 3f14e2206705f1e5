"""Projects out the conflicts between task gradients."""

from __future__ import annotations

import keras
import tensorflow as tf

from mtl_keras.weighting.arguments import check_integer
from mtl_keras.weighting.gramian import Gramian
from mtl_keras.weighting.gramian_weighting import GramianWeighting
from mtl_keras.weighting.task_orders import task_orders


@keras.saving.register_keras_serializable("mtl_keras")
class PCGrad(GramianWeighting):
    """Projects out the conflicts between task gradients, and sums them.

    Each gradient is compared with the others in a random order. If its inner
    product with `g_j` is negative, its part along `g_j` is removed:
    `g_i <- g_i - (g_i g_j / |g_j|^2) g_j`, with the original `g_j`. The update
    is the sum.

    The orders depend only on the seed and the step, and are the same on every
    replica.

    Args:
        seed: Seed of the orders, 0 or more. Defaults to `0`.
        name: Name of the weighting.

    Raises:
        ValueError: If `seed` is negative.

    Reference:
        Yu et al., "Gradient Surgery for Multi-Task Learning", NeurIPS 2020.

    Example:

    >>> gradients = np.array([[-1.0, 1.0], [1.0, 0.0]])
    >>> weighting = mtl_keras.weighting.PCGrad()
    >>> weighting.build(["left", "right"])
    >>> weights = weighting.weights(np.ones(2), gradients @ gradients.T)
    >>> weights.numpy().round(4).tolist()
    [1.5, 2.0]
    """

    def __init__(self, seed: int = 0, name: str | None = None):
        super().__init__(name=name)
        self.seed = check_integer("seed", seed, min_value=0)

    def solve(self, losses, gramian: Gramian):
        cosines = gramian.cosines
        size = cosines.shape[0]
        orders = task_orders(size, self.seed, self.steps)
        tasks = tf.range(size)

        # Row i of `parts` holds the coefficients of projected gradient i in
        # terms of the normalized gradients. All rows take a turn at once.
        def take_turn(turn, parts):
            other = orders[:, turn]
            products = tf.reduce_sum(parts * tf.gather(cosines, other), axis=1)
            excess = tf.where(other != tasks, tf.nn.relu(-products), 0.0)
            chosen = tf.one_hot(other, size, dtype=tf.float64)
            return turn + 1, parts + excess[:, None] * chosen

        _, parts = tf.while_loop(
            lambda turn, _: turn < size,
            take_turn,
            (tf.constant(0), tf.eye(size, dtype=tf.float64)),
        )
        norms = gramian.norms
        total = tf.reduce_sum((norms * gramian.mask)[:, None] * parts, axis=0)
        return total / norms

    def get_config(self) -> dict:
        return {**super().get_config(), "seed": self.seed}
