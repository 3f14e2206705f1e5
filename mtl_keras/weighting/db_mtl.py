"""Balances the scales of losses and the lengths of gradients."""

from __future__ import annotations

from collections.abc import Sequence

import keras
import tensorflow as tf

from mtl_keras.weighting.adjustable import Adjustable
from mtl_keras.weighting.present_tasks import is_present, keep_present
from mtl_keras.weighting.weighting import Weighting

_EPSILON = 1e-8


@keras.saving.register_keras_serializable("mtl_keras")
class DBMTL(Weighting):
    """Makes the task gradients equally long (dual-balancing, DB-MTL).

    The gradients of `log(L_i + 1e-8)` are averaged over the steps,
    `a_i <- beta a_i + (1 - beta) g_i / (L_i + 1e-8)`, with bias correction. The
    update is `sum(a_i max_j |a_j| / |a_i|)`: every average is scaled to the
    length of the longest. Heads are trained by the logarithm of their loss.

    The averages need as much memory as all shared parameters, times the number
    of tasks.

    Args:
        beta: Decay rate of the average, from 0 (no average) to less than 1.
            Defaults to `0.9`.
        name: Name of the weighting.

    Raises:
        ValueError: If `beta` is out of range.

    Reference:
        Lin et al., "Dual-Balancing for Multi-Task Learning", 2023.

    Example:

    >>> weighting = mtl_keras.weighting.DBMTL()
    >>> weighting.build(["left", "right"])
    >>> weighting.build_jacobian(num_parameters=2)
    >>> jacobian = np.array([[1.0, 0.0], [0.0, 5.0]], "float32")
    >>> update, _ = weighting.aggregate(np.ones(2, "float32"), jacobian)
    >>> update.numpy().round(4).tolist()
    [5.0, 5.0]
    """

    positive_losses = True
    beta = Adjustable(min_value=0, less_than=1)

    def __init__(self, beta: float = 0.9, name: str | None = None):
        super().__init__(name=name)
        self.beta = beta
        self._average = None

    def build(self, task_names: Sequence[str]) -> None:
        """Creates the step counts. See `Weighting.build`."""
        super().build(task_names)
        self._counts = self.add_state("counts", (self.num_tasks,))

    def build_jacobian(self, num_parameters: int) -> None:
        """Creates the averages. See `Weighting.build_jacobian`."""
        if self._average is None:
            self._average = self.add_state(
                "average", (self.num_tasks, num_parameters)
            )

    def load_own_variables(self, store) -> None:
        """Reads the state, and creates averages if the store has them."""
        if "average" in store:
            self.build_jacobian(store["average"].shape[1])
        super().load_own_variables(store)

    def combine(self, losses):
        """Sums the logarithms, for the heads. See `Weighting.combine`."""
        logs = tf.math.log(tf.maximum(losses, 0.0) + _EPSILON)
        return tf.reduce_sum(keep_present(logs, losses))

    def aggregate(self, losses, jacobian):
        """Sums the scaled averages. See `Weighting.aggregate`."""
        beta = self.adjustable_value("beta")
        present = is_present(losses)[:, tf.newaxis]
        rows = jacobian / (tf.maximum(losses, 0.0) + _EPSILON)[:, tf.newaxis]
        average = beta * self._average.value + (1.0 - beta) * rows
        average = tf.where(present, average, self._average.value)
        counts = self._counts.value + tf.cast(is_present(losses), tf.float32)
        # A step that overflowed in mixed precision leaves the state unchanged.
        finite = tf.reduce_all(tf.math.is_finite(rows))
        for variable, value in (
            (self._average, average),
            (self._counts, counts),
        ):
            variable.assign(tf.where(finite, value, variable.value))
        # With a count of 0, both are 0.
        corrected = tf.math.divide_no_nan(
            average, (1.0 - beta**counts)[:, tf.newaxis]
        )
        norms = _norms(tf.where(present, corrected, tf.zeros_like(corrected)))
        directions = tf.math.divide_no_nan(corrected, norms)
        directions = tf.where(present, directions, tf.zeros_like(directions))
        longest = tf.reduce_max(norms)
        weights = tf.math.divide_no_nan(longest, norms[:, 0])
        return longest * tf.reduce_sum(directions, axis=0), weights

    def get_config(self) -> dict:
        return {**super().get_config(), "beta": self.beta}


def _norms(rows):
    """Computes norms of rows, `(K, P)` to `(K, 1)`, without overflow."""
    largest = tf.reduce_max(tf.abs(rows), axis=1, keepdims=True)
    return largest * tf.norm(
        tf.math.divide_no_nan(rows, largest), axis=1, keepdims=True
    )
