"""Finds the shortest convex combination of the task gradients."""

from __future__ import annotations

import keras
import tensorflow as tf

from mtl_keras.spelling import did_you_mean
from mtl_keras.weighting.gramian import Gramian
from mtl_keras.weighting.gramian_weighting import GramianWeighting
from mtl_keras.weighting.min_norm_point import min_norm_point

NORMALIZATIONS = ("none", "l2", "loss", "loss+")
# Lower bound of a loss that gradients are divided by.
_MIN_LOSS = 1e-8


@keras.saving.register_keras_serializable("mtl_keras")
class MGDA(GramianWeighting):
    """Takes the shortest convex combination of the task gradients.

    The weights minimize `w^T G w` over `w >= 0` with `sum(w) = 1`. The update
    conflicts with no task, and is zero if no direction improves all of them. A
    task with a short gradient gets a large weight. A gradient of exactly zero
    counts as that of a task without labels, and is left out.

    The weights may be computed from normalized gradients: `"l2"` divides each
    gradient by its length, `"loss"` by the task's loss, `"loss+"` by both. As
    in the authors' code, they then weight the original gradients, so that the
    update may conflict with a task.

    Args:
        normalization: `"none"`, `"l2"`, `"loss"` or `"loss+"`. Defaults to
            `"none"`.
        name: Name of the weighting.

    Raises:
        ValueError: If `normalization` is unknown.

    Reference:
        Sener and Koltun, "Multi-Task Learning as Multi-Objective
        Optimization", NeurIPS 2018.

    Example:

    >>> gradients = np.array([[-4.0, 1.0], [6.0, 1.0]])
    >>> weighting = mtl_keras.weighting.MGDA()
    >>> weighting.build(["left", "right"])
    >>> weights = weighting.weights(np.ones(2), gradients @ gradients.T)
    >>> [round(float(weight), 4) for weight in weights]
    [0.6, 0.4]
    """

    def __init__(self, normalization: str = "none", name: str | None = None):
        super().__init__(name=name)
        if normalization not in NORMALIZATIONS:
            raise ValueError(
                f"normalization={normalization!r} is unknown. "
                f"{did_you_mean(normalization, NORMALIZATIONS)}"
            )
        self.normalization = normalization
        self.positive_losses = normalization in ("loss", "loss+")

    def solve(self, losses, gramian: Gramian):
        norms = gramian.norms
        if self.normalization in ("l2", "loss+"):
            norms = tf.ones_like(norms)
        if self.normalization in ("loss", "loss+"):
            losses = tf.cast(losses, tf.float64)
            norms = norms / tf.maximum(losses, _MIN_LOSS)
        return min_norm_point(gramian._replace(norms=norms))

    def get_config(self) -> dict:
        return {**super().get_config(), "normalization": self.normalization}
