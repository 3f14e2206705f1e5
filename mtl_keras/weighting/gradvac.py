"""Pulls task gradients together as far as they agree on average."""

from __future__ import annotations

from collections.abc import Sequence

import keras
import tensorflow as tf

from mtl_keras.weighting.adjustable import Adjustable
from mtl_keras.weighting.arguments import check_integer
from mtl_keras.weighting.gramian import COSINE_EPSILON, Gramian
from mtl_keras.weighting.gramian_weighting import GramianWeighting
from mtl_keras.weighting.pairwise_projection import project_pairwise
from mtl_keras.weighting.task_orders import task_orders

# A target of 1, of two tasks that always agree, would need a correction of
# infinite length.
_MAX_TARGET = 0.9999


@keras.saving.register_keras_serializable("mtl_keras")
class GradVac(GramianWeighting):
    """Pulls the task gradients together as far as they agree on average.

    Each gradient is corrected by the others in a random order. If its cosine
    `c` with `g_j` is below the target `t` of the two tasks, the original `g_j`
    is added to it, times
    `|g_i| (t sqrt(1 - c^2) - c sqrt(1 - t^2)) / (|g_j| sqrt(1 - t^2))`, which
    makes the cosine `t` (gradient vaccine). The update is the sum. The targets
    start at 0 and follow the cosines of each pair:
    `t <- (1 - beta) t + beta c`. They are clipped at 0.9999.

    The orders depend only on the seed and the step, and are the same on every
    replica. A task without labels is left out.

    Args:
        beta: Share of the new cosine in the target, from 0, which is PCGrad, to
            1. Defaults to `0.5`.
        seed: Seed of the orders, 0 or more. Defaults to `0`.
        name: Name of the weighting.

    Raises:
        ValueError: If `beta` is not from 0 to 1 or `seed` is negative.

    Reference:
        Wang et al., "Gradient Vaccine: Investigating and Improving Multi-task
        Optimization in Massively Multilingual Models", ICLR 2021.

    Example:

    >>> gradients = np.array([[-1.0, 1.0], [1.0, 0.0]])
    >>> weighting = mtl_keras.weighting.GradVac()
    >>> weighting.build(["left", "right"])
    >>> weights = weighting.weights(np.ones(2), gradients @ gradients.T)
    >>> weights.numpy().round(4).tolist()
    [1.5, 2.0]
    """

    beta = Adjustable(min_value=0, max_value=1)

    def __init__(
        self, beta: float = 0.5, seed: int = 0, name: str | None = None
    ):
        super().__init__(name=name)
        self.beta = beta
        self.seed = check_integer("seed", seed, min_value=0)

    def build(self, task_names: Sequence[str]) -> None:
        """Creates the targets. See `Weighting.build`."""
        super().build(task_names)
        self._targets = self.add_state("targets", (self.num_tasks,) * 2)

    def solve(self, losses, gramian: Gramian):
        size = gramian.norms.shape[0]
        orders = task_orders(size, self.seed, self.steps)
        targets = tf.cast(self._targets.value, tf.float64)
        # One row for each turn. Each pair has one turn, so that no target is
        # read after it has changed.
        others = tf.transpose(orders)
        both = gramian.labelled & tf.gather(gramian.labelled, others)
        target = tf.transpose(tf.gather(targets, orders, batch_dims=1))
        goal = tf.minimum(target, _MAX_TARGET)
        # A target of -1 is below all cosines.
        ratio = goal / tf.sqrt(tf.maximum(1.0 - goal**2, COSINE_EPSILON))
        both = tf.cast(both, tf.float64)
        per_turn = tf.stack([both, target, goal, ratio], axis=1)

        beta = self.adjustable_value("beta", "float64")

        def correct(turn, products, squares):
            both, target, goal, ratio = tf.unstack(tf.gather(per_turn, turn))
            # A gradient opposite to the others may be projected to zero.
            nonzero = squares > COSINE_EPSILON
            lengths = tf.sqrt(tf.where(nonzero, squares, 1.0))
            cosine = tf.clip_by_value(products / lengths, -1.0, 1.0)
            active = tf.cast(nonzero, tf.float64) * both
            # A cosine above the goal is not pulled back.
            corrected = active * tf.cast(cosine < goal, tf.float64)
            pull = ratio * tf.sqrt(1.0 - cosine * cosine) - cosine
            moved = beta * (cosine - target)
            return corrected * lengths * pull, active * moved

        parts, moved = project_pairwise(gramian.cosines, orders, correct)
        self._targets.assign(tf.cast(targets + moved, tf.float32))
        norms = gramian.norms
        total = tf.reduce_sum((norms * gramian.mask)[:, None] * parts, axis=0)
        return total / norms

    def get_config(self) -> dict:
        return {**super().get_config(), "beta": self.beta, "seed": self.seed}
