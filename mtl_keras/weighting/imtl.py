"""Impartial learning, with scaled losses and equal projections."""

from __future__ import annotations

import keras
import tensorflow as tf

from mtl_keras.weighting.imtl_g import IMTLG
from mtl_keras.weighting.imtl_l import IMTLL


@keras.saving.register_keras_serializable("mtl_keras")
class IMTL(IMTLL, IMTLG):
    """Balances losses and gradients impartially (IMTL, both parts).

    The losses are scaled as in `IMTLL`, by a trainable `exp(s_i)` that brings
    each of them to 1, and the gradients of the scaled losses are weighted as in
    `IMTLG`. The parameters of a single task follow the scaled loss.

    Args:
        name: Name of the weighting.

    Reference:
        Liu et al., "Towards Impartial Multi-Task Learning", ICLR 2021.

    Example:

    >>> gradients = np.array([[1.0, 0.0], [0.0, 3.0]], "float32")
    >>> weighting = mtl_keras.weighting.IMTL()
    >>> weighting.build(["left", "right"])
    >>> weighting.weights(np.ones(2), gradients @ gradients.T).numpy().tolist()
    [0.75, 0.25]
    """

    def weights(self, losses, gramian):
        """Weights the scaled gradients. See `Weighting.weights`."""
        scales = tf.exp(tf.convert_to_tensor(self._log_scales.value))
        scaled = scales * gramian * scales[:, tf.newaxis]
        return scales * super().weights(scales * losses, scaled)
