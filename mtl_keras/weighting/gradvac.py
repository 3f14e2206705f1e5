"""Task gradients that are pulled together as far as they usually agree."""

from __future__ import annotations

from collections.abc import Sequence

import keras
import tensorflow as tf

from mtl_keras.weighting.arguments import check_integer, check_number
from mtl_keras.weighting.gramian import NOISE, Gramian
from mtl_keras.weighting.gramian_weighting import GramianWeighting
from mtl_keras.weighting.task_orders import task_orders

# Two tasks that always agree have a target of 1, which only a gradient of
# infinite length could meet.
_LARGEST_TARGET = 0.9999


@keras.saving.register_keras_serializable("mtl_keras")
class GradVac(GramianWeighting):
    """Pulls the task gradients together as far as they agree on average.

    Each gradient meets the others in a random order. Where its cosine `c` with
    `g_j` is below the target `t` of the two tasks, `g_j` is added to it, times
    `|g_i| (t sqrt(1 - c^2) - c sqrt(1 - t^2)) / (|g_j| sqrt(1 - t^2))`, with
    `g_j` as it was at first; then the cosine is `t`. The update is the sum. The
    targets start at 0 and follow the cosines: `t <- (1 - beta) t + beta c`, at
    each meeting (gradient vaccine). Targets above 0.9999 count as that.

    The orders follow from the seed and the number of the step, and are the
    same on every replica. A task without labels meets no other.

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

    def __init__(
        self, beta: float = 0.5, seed: int = 0, name: str | None = None
    ):
        super().__init__(name=name)
        self.beta = check_number("beta", beta, least=0, most=1)
        self.seed = check_integer("seed", seed, least=0)

    def build(self, task_names: Sequence[str]) -> None:
        """Makes the targets. See `Weighting.build`."""
        super().build(task_names)
        self._targets = self.add_state("targets", (self.num_tasks,) * 2)

    def solve(self, losses, gramian: Gramian):
        size = gramian.norms.shape[0]
        orders = task_orders(size, self.seed, self.steps)
        tasks = tf.range(size)

        # See `PCGrad.solve`.
        def meet(turn, parts, targets):
            other = orders[:, turn]
            meets = (other != tasks) & gramian.labelled
            meets &= tf.gather(gramian.labelled, other)
            added, moved = self._meeting(parts, gramian.cosines, other, targets)
            chosen = tf.one_hot(other, size, dtype=tf.float64)
            chosen *= tf.cast(meets, tf.float64)[:, None]
            return (
                turn + 1,
                parts + added[:, None] * chosen,
                targets + moved[:, None] * chosen,
            )

        targets = tf.cast(self._targets.value, tf.float64)
        state = (tf.constant(0), tf.eye(size, dtype=tf.float64), targets)
        _, parts, targets = tf.while_loop(
            lambda turn, *_: turn < size, meet, state
        )
        # After the loop: replicas cannot assign together inside of one.
        self._targets.assign(tf.cast(targets, tf.float32))
        norms = gramian.norms
        total = tf.reduce_sum((norms * gramian.mask)[:, None] * parts, axis=0)
        return total / norms

    def _meeting(self, parts, cosines, other, targets):
        """What is added of the other gradient, and to the target."""
        products = tf.reduce_sum(parts * tf.gather(cosines, other), axis=1)
        squares = tf.reduce_sum(parts * (parts @ cosines), axis=1)
        # Nothing is left of a gradient that was wholly in conflict.
        gone = squares <= NOISE
        lengths = tf.sqrt(tf.where(gone, tf.ones_like(squares), squares))
        cosine = tf.clip_by_value(products / lengths, -1.0, 1.0)
        target = tf.gather(targets, other, batch_dims=1)
        goal = tf.minimum(target, _LARGEST_TARGET)
        # A target of -1 is below all cosines.
        goal_sine = tf.sqrt(tf.maximum(1.0 - goal**2, NOISE))
        pull = goal / goal_sine * tf.sqrt(1.0 - cosine**2) - cosine
        zeros = tf.zeros_like(cosine)
        added = tf.where((cosine < goal) & ~gone, lengths * pull, zeros)
        return added, tf.where(gone, zeros, self.beta * (cosine - target))

    def get_config(self) -> dict:
        return {**super().get_config(), "beta": self.beta, "seed": self.seed}
