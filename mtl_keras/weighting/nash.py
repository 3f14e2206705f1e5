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
    are positive and solve `G w = 1 / w`, with `G` divided by its Frobenius
    norm. The update conflicts with no task, and its direction does not depend
    on the lengths of the task gradients.

    The weights are solved for at each step, by Newton's method on the convex
    `1/2 w^T G w - sum(log(w))`.

    In the paper, the update is the best one in a ball and always has the
    length of its radius. The authors' code, LibMTL and TorchJD clip the update
    instead, so that it gets shorter when the gradients do. The default follows
    the code, which the published results come from; `fixed_norm=True` follows
    the paper.

    Args:
        max_norm: Maximum length of the update of the shared parameters,
            greater than 0. With `gradients="features"` it is the length at the
            features. Defaults to `1.0`.
        fixed_norm: Whether the update always has the length `max_norm`, so
            that shorter updates are lengthened, too. An update that is mostly
            rounding error, because the gradients cancel each other out, is
            not lengthened. Defaults to `False`.
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
    >>> weighting = mtl_keras.weighting.NashMTL(fixed_norm=True)
    >>> weighting.build(["left", "right"])
    >>> weights = weighting.weights(np.ones(2), gradients @ gradients.T)
    >>> (weights.numpy() * [0.03, 0.04]).round(4).tolist()
    [0.7071, 0.7071]
    """

    max_norm = Adjustable(greater_than=0)

    def __init__(
        self,
        max_norm: float = 1.0,
        fixed_norm: bool = False,
        name: str | None = None,
    ):
        super().__init__(name=name)
        self.max_norm = max_norm
        self.fixed_norm = bool(fixed_norm)

    def solve(self, losses, gramian: Gramian):
        labelled = gramian.mask
        shares = tf.ones_like(gramian.norms)
        # In units of each norm, in which the solution does not depend on them.
        parts = (
            solve_fairness(gramian.regularized_cosines, shares, 1.0) * labelled
        )
        both = labelled * labelled[:, None]
        frobenius = tf.norm(gramian.matrix * both)
        weights = parts / gramian.norms * tf.sqrt(frobenius)
        square = tf.reduce_sum(
            weights * tf.linalg.matvec(gramian.matrix, weights)
        )
        length = gramian.largest_norm * tf.sqrt(tf.nn.relu(square))
        max_norm = self.adjustable_value("max_norm", "float64")
        divisor = tf.maximum(length, max_norm)
        if self.fixed_norm:
            divisor = tf.where(_is_reliable(gramian, parts), length, divisor)
        return weights * max_norm / divisor

    def get_config(self) -> dict:
        return {
            **super().get_config(),
            "max_norm": self.max_norm,
            "fixed_norm": self.fixed_norm,
        }


def _is_reliable(gramian, parts):
    """Checks that an update consists of gradients more than of rounding."""
    # With the lift of the solver, the square is the number of tasks.
    square = tf.reduce_sum(parts * tf.linalg.matvec(gramian.cosines, parts))
    return square > 0.5 * gramian.num_labelled
