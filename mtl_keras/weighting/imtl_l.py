"""Learns scales that make all losses equal."""

from __future__ import annotations

from collections.abc import Sequence

import keras
import tensorflow as tf

from mtl_keras.weighting.present_tasks import keep_present
from mtl_keras.weighting.weighting import Weighting


@keras.saving.register_keras_serializable("mtl_keras")
class IMTLL(Weighting):
    """Scales every loss to 1 (the loss part of impartial learning, IMTL-L).

    The combined loss is `sum(exp(s_i) L_i - s_i)` with a trainable `s_i` for
    each task, which starts at 0. Its minimum over `s_i` is at
    `exp(s_i) L_i = 1`: the weights compensate for the scale of a loss.

    Args:
        name: Name of the weighting.

    Reference:
        Liu et al., "Towards Impartial Multi-Task Learning", ICLR 2021.

    Example:

    >>> weighting = mtl_keras.weighting.IMTLL()
    >>> weighting.build(["left", "right"])
    >>> float(weighting.combine(np.array([1.0, 2.0], "float32")))
    3.0
    """

    def build(self, task_names: Sequence[str]) -> None:
        """Creates the scales. See `Weighting.build`."""
        super().build(task_names)
        self._log_scales = self.add_state(
            "log_scales", (self.num_tasks,), trainable=True
        )

    def combine(self, losses):
        """Sums the scaled losses. See `Weighting.combine`."""
        log_scales = tf.convert_to_tensor(self._log_scales.value)
        terms = tf.exp(log_scales) * losses - log_scales
        return tf.reduce_sum(keep_present(terms, losses))
