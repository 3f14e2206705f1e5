"""Projects each task gradient onto the directions without conflict."""

from __future__ import annotations

import keras
import tensorflow as tf

from mtl_keras.weighting.adjustable import Adjustable
from mtl_keras.weighting.gramian import COSINE_EPSILON, Gramian
from mtl_keras.weighting.gramian_weighting import GramianWeighting
from mtl_keras.weighting.nonnegative_qp import solve_nonnegative_qp


@keras.saving.register_keras_serializable("mtl_keras")
class UPGrad(GramianWeighting):
    """Projects each task gradient onto the directions without conflict.

    A direction conflicts with a task if its inner product with the task's
    gradient is negative. Each gradient is replaced by the closest vector that
    conflicts with no task, and the update is their mean. The weights are the
    sum over all tasks `i` of the minimizers of `v^T G v` over `v >= e_i / K`,
    where `e_i` is a unit vector.

    A longer gradient has more influence, in proportion to its length.

    Args:
        regularization: Number added to the diagonal of `G`, relative to its
            trace, 0 or more. The update may conflict with gradients that are
            shorter than `sqrt(regularization)` times the longest. Defaults to
            `1e-4`.
        name: Name of the weighting.

    Raises:
        ValueError: If `regularization` is negative.

    Reference:
        Quinton and Rey, "Jacobian Descent for Multi-Objective Optimization",
        2024.

    Example:

    >>> gradients = np.array([[-1.0, 1.0], [1.0, 0.0]])
    >>> weighting = mtl_keras.weighting.UPGrad(regularization=0.0)
    >>> weighting.build(["left", "right"])
    >>> weights = weighting.weights(np.ones(2), gradients @ gradients.T)
    >>> weights.numpy().round(4).tolist()
    [0.75, 1.0]
    """

    regularization = Adjustable(min_value=0)

    def __init__(self, regularization: float = 1e-4, name: str | None = None):
        super().__init__(name=name)
        self.regularization = regularization

    def solve(self, losses, gramian: Gramian):
        labelled = gramian.mask
        size = gramian.norms.shape[0]
        squares = gramian.norms**2
        # In units of each norm: without regularization, the projection does not
        # depend on the norms.
        share = self.adjustable_value("regularization", "float64")
        lift = share * tf.reduce_sum(squares * labelled) / squares
        matrix = gramian.cosines + tf.linalg.diag(lift + COSINE_EPSILON)
        norms = gramian.norms * labelled
        # Each row is a normalized gradient plus multiples of others.
        added = solve_nonnegative_qp(matrix, -matrix)
        rows = added + tf.eye(size, dtype=tf.float64)
        weights = tf.reduce_sum(norms[:, None] * rows, axis=0) / gramian.norms
        return weights / gramian.num_labelled

    def get_config(self) -> dict:
        return {**super().get_config(), "regularization": self.regularization}
