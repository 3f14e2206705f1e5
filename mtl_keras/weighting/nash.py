"""The update that maximizes the product of the tasks' gains."""

from __future__ import annotations

import keras
import tensorflow as tf

from mtl_keras.weighting.adjustable import Adjustable
from mtl_keras.weighting.fairness_solver import solve_fairness
from mtl_keras.weighting.gramian import Gramian
from mtl_keras.weighting.gramian_weighting import GramianWeighting


@keras.saving.register_keras_serializable("mtl_keras")
class NashMTL(GramianWeighting):
    """Solves the Nash bargaining game between the tasks.

    The update maximizes the product of the tasks' gains `g_i d`. Its weights
    are positive and solve `G w = 1 / w`. The update conflicts with no task, and
    does not depend on the lengths of the task gradients: it is `sqrt(K)` long
    for `K` tasks, or `max_norm` if that is shorter.

    The weights are solved for at each step, by Newton's method on the convex
    `1/2 w^T G w - sum(log(w))`.

    With plain SGD, an update of constant length needs a learning rate that
    decays. With `scale_invariant=False`, `G` is divided by its Frobenius norm,
    and the update gets shorter when the gradients do.

    Args:
        max_norm: Maximum length of the update of the shared parameters,
            greater than 0. With `gradients="features"` it is the length at the
            features. Defaults to `1.0`.
        scale_invariant: Whether the length of the update is independent of the
            lengths of the gradients, as in the paper and the authors' code.
            Defaults to `True`.
        name: Name of the weighting.

    Raises:
        ValueError: If `max_norm` is not greater than 0.

    Reference:
        Navon et al., "Multi-Task Learning as a Bargaining Game", ICML 2022.

    Example:

    >>> gradients = np.array([[0.03, 0.0], [0.0, 0.04]])
    >>> weighting = mtl_keras.weighting.NashMTL()
    >>> weighting.build(["left", "right"])
    >>> weights = weighting.weights(np.ones(2), gradients @ gradients.T)
    >>> (weights.numpy() * [0.03, 0.04]).round(4).tolist()
    [0.7071, 0.7071]
    """

    max_norm = Adjustable(greater_than=0)

    def __init__(
        self,
        max_norm: float = 1.0,
        scale_invariant: bool = True,
        name: str | None = None,
    ):
        super().__init__(name=name)
        self.max_norm = max_norm
        self.scale_invariant = bool(scale_invariant)

    def solve(self, losses, gramian: Gramian):
        labelled = gramian.mask
        shares = tf.ones_like(gramian.norms)
        # In units of each norm, in which the solution does not depend on them.
        parts = (
            solve_fairness(gramian.regularized_cosines, shares, 1.0) * labelled
        )
        weights = parts / gramian.norms
        if self.scale_invariant:
            weights = weights / gramian.largest_norm
        else:
            both = labelled * labelled[:, None]
            frobenius = tf.norm(gramian.matrix * both)
            weights = weights * tf.sqrt(frobenius)
        square = tf.reduce_sum(
            weights * tf.linalg.matvec(gramian.matrix, weights)
        )
        length = gramian.largest_norm * tf.sqrt(tf.nn.relu(square))
        max_norm = self.adjustable_value("max_norm", "float64")
        return weights * max_norm / tf.maximum(length, max_norm)

    def get_config(self) -> dict:
        return {
            **super().get_config(),
            "max_norm": self.max_norm,
            "scale_invariant": self.scale_invariant,
        }
