"""Task gradients without the parts that conflict."""

from __future__ import annotations

import keras
import tensorflow as tf

from mtl_keras.weighting.arguments import check_integer
from mtl_keras.weighting.gramian import Gramian
from mtl_keras.weighting.gramian_weighting import GramianWeighting
from mtl_keras.weighting.task_orders import task_orders


@keras.saving.register_keras_serializable("mtl_keras")
class PCGrad(GramianWeighting):
    """Cuts off what conflicts between the task gradients, and sums them.

    Each gradient meets the others in a random order. Where its inner product
    with `g_j` is negative, it loses its part along `g_j`:
    `g_i <- g_i - (g_i g_j / |g_j|^2) g_j`, with `g_j` as it was at first. The
    update is the sum.

    The orders follow from the seed and the number of the step, and are the
    same on every replica.

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

        # Row i of `parts` says how gradient i, over its norm, is made of the
        # gradients over their norms. All rows meet their next one at once.
        def meet(turn, parts):
            other = orders[:, turn]
            products = tf.reduce_sum(parts * tf.gather(cosines, other), axis=1)
            excess = tf.where(other != tasks, tf.nn.relu(-products), 0.0)
            chosen = tf.one_hot(other, size, dtype=tf.float64)
            return turn + 1, parts + excess[:, None] * chosen

        _, parts = tf.while_loop(
            lambda turn, _: turn < size,
            meet,
            (tf.constant(0), tf.eye(size, dtype=tf.float64)),
        )
        norms = gramian.norms
        total = tf.reduce_sum((norms * gramian.mask)[:, None] * parts, axis=0)
        return total / norms

    def get_config(self) -> dict:
        return {**super().get_config(), "seed": self.seed}
