"""Keeps one random sign of the task gradients in each parameter."""

from __future__ import annotations

import keras
import tensorflow as tf

from mtl_keras.weighting.adjustable import Adjustable
from mtl_keras.weighting.arguments import check_integer
from mtl_keras.weighting.weighting import Weighting


@keras.saving.register_keras_serializable("mtl_keras")
class GradDrop(Weighting):
    """Keeps one sign of the task gradients in each parameter.

    For each parameter, `P = 1/2 (1 + sum(g_i) / sum(|g_i|))` is the share of
    positive gradients. With probability `P`, the positive gradients are kept
    and the negative ones dropped; otherwise the negative ones are kept. The
    update is the sum of the kept gradients. Where all tasks agree, nothing is
    dropped.

    The paper uses gradients at the shared representation; this class uses those
    of the shared parameters. The draw depends only on the seed and the step,
    and is the same on every replica.

    Args:
        leak: Part of each gradient that is never dropped, from 0 to 1.
            Defaults to `0.0`.
        seed: Seed of the draws, 0 or more. Defaults to `0`.
        name: Name of the weighting.

    Raises:
        ValueError: If `leak` is not from 0 to 1 or `seed` is negative.

    Reference:
        Chen et al., "Just Pick a Sign: Optimizing Deep Multitask Models with
        Gradient Sign Dropout", NeurIPS 2020.

    Example:

    >>> weighting = mtl_keras.weighting.GradDrop()
    >>> weighting.build(["left", "right"])
    >>> jacobian = np.array([[1.0, -2.0], [3.0, -4.0]], "float32")
    >>> update, _ = weighting.aggregate(np.ones(2, "float32"), jacobian)
    >>> update.numpy().tolist()
    [4.0, -6.0]
    """

    leak = Adjustable(min_value=0, max_value=1)

    def __init__(
        self, leak: float = 0.0, seed: int = 0, name: str | None = None
    ):
        super().__init__(name=name)
        self.leak = leak
        self.seed = check_integer("seed", seed, min_value=0)

    def aggregate(self, losses, jacobian):
        """Sums the kept gradients. See `Weighting.aggregate`."""
        total = tf.reduce_sum(jacobian, axis=0)
        size = tf.reduce_sum(tf.abs(jacobian), axis=0)
        share = 0.5 * (1.0 + tf.math.divide_no_nan(total, size))
        draw = tf.random.stateless_uniform(
            tf.shape(share),
            seed=tf.stack([self.seed, self.steps]),
            alg="philox",
        )
        # The draw is in [0, 1), so that shares of 0 and 1 are exact.
        keeps_positive = share > draw
        kept = tf.where(
            (jacobian > 0) == keeps_positive, jacobian, tf.zeros_like(jacobian)
        )
        leak = self.adjustable_value("leak")
        kept = leak * jacobian + (1.0 - leak) * kept
        # The share of each gradient that is kept.
        weights = tf.math.divide_no_nan(
            tf.reduce_sum(tf.abs(kept), axis=1),
            tf.reduce_sum(tf.abs(jacobian), axis=1),
        )
        return tf.reduce_sum(kept, axis=0), weights

    def get_config(self) -> dict:
        return {**super().get_config(), "leak": self.leak, "seed": self.seed}
