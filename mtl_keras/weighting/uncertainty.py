"""Learns weights from the uncertainty of each task."""

from __future__ import annotations

from collections.abc import Sequence

import keras
import tensorflow as tf

from mtl_keras.weighting.arguments import check_task_names
from mtl_keras.weighting.present_tasks import keep_present
from mtl_keras.weighting.weighting import Weighting


@keras.saving.register_keras_serializable("mtl_keras")
class Uncertainty(Weighting):
    """Weights each task by its learned noise (homoscedastic uncertainty).

    The combined loss is `sum(1/2 exp(-s_i) L_i + 1/2 s_i)` with a trainable
    log-variance `s_i` for each task, which starts at 0. It is the negative log
    likelihood of a regression with a mean squared error, and may be negative.
    The likelihood of a classification has no factor 1/2 before the loss.

    Args:
        classification: Names of classification tasks, which get no factor 1/2.
            This doubles their initial weights and does not change the optimal
            weights `1 / (2 L_i)`. Defaults to no task.
        name: Name of the weighting.

    Raises:
        TypeError: If `classification` is not a sequence of names.

    Reference:
        Kendall et al., "Multi-Task Learning Using Uncertainty to Weigh Losses
        for Scene Geometry and Semantics", CVPR 2018.

    Example:

    >>> weighting = mtl_keras.weighting.Uncertainty(classification=["digit"])
    >>> weighting.build(["age", "digit"])
    >>> float(weighting.combine(np.array([1.0, 2.0], "float32")))
    2.5
    """

    def __init__(
        self, classification: Sequence[str] = (), name: str | None = None
    ):
        super().__init__(name=name)
        if isinstance(classification, str):
            raise TypeError(
                f"classification={classification!r} is a string; expected "
                f"a list of task names, such as [{classification!r}]."
            )
        self.classification = tuple(classification)

    def build(self, task_names: Sequence[str]) -> None:
        """Creates the log-variances. See `Weighting.build`."""
        super().build(task_names)
        check_task_names("classification", self.classification, task_names)
        self._factors = [
            1.0 if task in self.classification else 0.5 for task in task_names
        ]
        self._log_variances = self.add_state(
            "log_variances", (self.num_tasks,), trainable=True
        )

    def combine(self, losses):
        """Sums the likelihoods. See `Weighting.combine`."""
        log_variances = tf.convert_to_tensor(self._log_variances.value)
        weights = tf.constant(self._factors) * tf.exp(-log_variances)
        terms = weights * losses + 0.5 * log_variances
        return tf.reduce_sum(keep_present(terms, losses))

    def get_config(self) -> dict:
        return {
            **super().get_config(),
            "classification": list(self.classification),
        }
