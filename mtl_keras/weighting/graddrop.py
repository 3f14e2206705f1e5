"""One sign of the gradients for each parameter, drawn at random."""

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
    the positive gradients. With the chance `P` the positive ones are kept and
    the negative ones dropped, otherwise the other way round; the kept ones
    are summed. Where all tasks agree, nothing is dropped.

    The paper applies it to the gradients at the shared representation; here
    it is applied to those of the shared parameters. The draw follows from the
    seed and the number of the step, and is the same on every replica.

    Args:
        leak: Share of each gradient, 0 to 1, that is never dropped. Defaults
            to `0.0`.
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
        """Sums what is kept. See `Weighting.aggregate`."""
        total = tf.reduce_sum(jacobian, axis=0)
        size = tf.reduce_sum(tf.abs(jacobian), axis=0)
        share = 0.5 * (1.0 + tf.math.divide_no_nan(total, size))
        draw = tf.random.stateless_uniform(
            tf.shape(share),
            seed=tf.stack([self.seed, self.steps]),
            alg="philox",
        )
        # The draw is below 1 and may be 0, so this is right at both ends.
        keeps_positive = share > draw
        kept = tf.where(
            (jacobian > 0) == keeps_positive, jacobian, tf.zeros_like(jacobian)
        )
        leak = self.adjustable_value("leak")
        kept = leak * jacobian + (1.0 - leak) * kept
        # The share of each gradient that is left of it.
        weights = tf.math.divide_no_nan(
            tf.reduce_sum(tf.abs(kept), axis=1),
            tf.reduce_sum(tf.abs(jacobian), axis=1),
        )
        return tf.reduce_sum(kept, axis=0), weights

    def get_config(self) -> dict:
        return {**super().get_config(), "leak": self.leak, "seed": self.seed}
