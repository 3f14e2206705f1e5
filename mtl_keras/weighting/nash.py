"""The update on which bargaining tasks would agree."""

from __future__ import annotations

import keras
import tensorflow as tf

from mtl_keras.weighting.adjustable import Adjustable
from mtl_keras.weighting.fair_point import fair_point
from mtl_keras.weighting.gramian import Gramian
from mtl_keras.weighting.gramian_weighting import GramianWeighting


@keras.saving.register_keras_serializable("mtl_keras")
class NashMTL(GramianWeighting):
    """Solves the bargaining game of Nash between the tasks.

    The update maximizes the product of the tasks' gains `g_i d`. Its weights
    are positive and solve `G w = 1 / w`, with `G` divided by its Frobenius
    norm; no task conflicts with it. They do not depend on how long a task's
    gradient is. An update that is longer than `max_norm` is shortened to it.

    They are found at each step, by Newton's method on the convex
    `1/2 w^T G w - sum(log(w))`.

    Args:
        max_norm: Greatest length of the update of the shared parameters,
            greater than 0. Defaults to `1.0`.
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
    [0.0428, 0.0428]
    """

    max_norm = Adjustable(above=0)

    def __init__(self, max_norm: float = 1.0, name: str | None = None):
        super().__init__(name=name)
        self.max_norm = max_norm

    def solve(self, losses, gramian: Gramian):
        labelled = gramian.mask
        shares = tf.ones_like(gramian.norms)
        # In units of each norm, in which the solution does not depend on them.
        parts = fair_point(gramian.lifted_cosines, shares, 1.0) * labelled
        both = labelled * labelled[:, None]
        frobenius = tf.norm(gramian.matrix * both)
        weights = parts / gramian.norms * tf.sqrt(frobenius)
        square = tf.reduce_sum(
            weights * tf.linalg.matvec(gramian.matrix, weights)
        )
        length = gramian.largest_norm * tf.sqrt(tf.nn.relu(square))
        max_norm = self.number("max_norm", "float64")
        return weights * max_norm / tf.maximum(length, max_norm)

    def get_config(self) -> dict:
        return {**super().get_config(), "max_norm": self.max_norm}
