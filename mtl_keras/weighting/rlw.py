"""Draws random weights at each step."""

from __future__ import annotations

import keras
import tensorflow as tf

from mtl_keras.weighting.arguments import check_integer
from mtl_keras.weighting.present_tasks import weighted_sum
from mtl_keras.weighting.weighting import Weighting


@keras.saving.register_keras_serializable("mtl_keras")
class RLW(Weighting):
    """Draws the weights at random (random loss weighting).

    The weights of a step are `softmax(x)` with `x` from a standard normal
    distribution. They sum to 1, so that the effective learning rate is 1/K of
    that of equal weights. The draw depends only on the seed and the step, and
    is the same on every replica.

    Args:
        seed: Seed of the draws, 0 or more. Defaults to `0`.
        name: Name of the weighting.

    Raises:
        ValueError: If `seed` is negative.

    Reference:
        Lin et al., "Reasonable Effectiveness of Random Weighting: A Litmus
        Test for Multi-Task Learning", TMLR 2022.

    Example:

    >>> weighting = mtl_keras.weighting.RLW()
    >>> weighting.build(["left", "right"])
    >>> round(float(weighting.combine(np.array([3.0, 3.0], "float32"))), 4)
    3.0
    """

    def __init__(self, seed: int = 0, name: str | None = None):
        super().__init__(name=name)
        self.seed = check_integer("seed", seed, min_value=0)

    def combine(self, losses):
        """Sums the weighted losses. See `Weighting.combine`."""
        logits = tf.random.stateless_normal(
            (self.num_tasks,),
            seed=tf.stack([self.seed, self.steps]),
            alg="philox",
        )
        return weighted_sum(losses, tf.nn.softmax(logits))

    def get_config(self) -> dict:
        return {**super().get_config(), "seed": self.seed}
