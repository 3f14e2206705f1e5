"""Shares the gains between tasks by alpha-fairness."""

from __future__ import annotations

import keras

from mtl_keras.weighting.arguments import check_number
from mtl_keras.weighting.fairness_solver import solve_fairness
from mtl_keras.weighting.gramian import Gramian
from mtl_keras.weighting.gramian_weighting import GramianWeighting


@keras.saving.register_keras_serializable("mtl_keras")
class FairGrad(GramianWeighting):
    """Shares the gains between the tasks by alpha-fairness.

    The weights are positive and solve `G w = w^(-1 / alpha)`. The update
    conflicts with no task. With an `alpha` of 1, it has the direction of
    Nash-MTL (proportional fairness). A larger `alpha` favours the tasks that
    gain least, a smaller one those that gain most.

    Shorter gradients get larger weights: with an `alpha` of 1, the update of
    `K` tasks has the length `sqrt(K)`, for gradients of any length.

    Args:
        alpha: Fairness parameter, from 0.1 to 10. Defaults to `1.0`.
        name: Name of the weighting.

    Raises:
        ValueError: If `alpha` is out of range.

    Reference:
        Ban and Ji, "Fair Resource Allocation in Multi-Task Learning", ICML
        2024.

    Example:

    >>> gradients = np.array([[2.0, 0.0], [0.0, 4.0]])
    >>> weighting = mtl_keras.weighting.FairGrad()
    >>> weighting.build(["left", "right"])
    >>> weights = weighting.weights(np.ones(2), gradients @ gradients.T)
    >>> weights.numpy().round(4).tolist()
    [0.5, 0.25]
    """

    def __init__(self, alpha: float = 1.0, name: str | None = None):
        super().__init__(name=name)
        self.alpha = check_number("alpha", alpha, min_value=0.1, max_value=10)

    def solve(self, losses, gramian: Gramian):
        # In units of each norm: C x = |g|^(p - 1) x^(-p) with x = |g| w.
        power = 1.0 / self.alpha
        shares = gramian.norms ** (power - 1.0)
        parts = solve_fairness(gramian.regularized_cosines, shares, power)
        scale = gramian.largest_norm ** (-2.0 / (1.0 + power))
        return scale * parts / gramian.norms

    def get_config(self) -> dict:
        return {**super().get_config(), "alpha": self.alpha}
