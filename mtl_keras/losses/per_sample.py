"""Losses whose value for a sample depends only on that sample."""

from __future__ import annotations

import keras

from mtl_keras.keras_compat import wrapped_function
from mtl_keras.losses.columns import is_mean_over_columns
from mtl_keras.losses.crossentropy import Crossentropy

_ROW_LOSSES = (
    keras.losses.categorical_crossentropy,
    keras.losses.categorical_focal_crossentropy,
    keras.losses.categorical_hinge,
    keras.losses.cosine_similarity,
    keras.losses.kl_divergence,
    keras.losses.sparse_categorical_crossentropy,
)


def is_per_sample(loss) -> bool:
    """Returns whether the value of each sample is independent of the batch.

    This is known for `mtl_keras.losses.Crossentropy` and for Keras's losses of
    rows and of columns. It is `False` for losses of a whole batch and for
    custom losses.

    Args:
        loss: A Keras loss, or a function of `y_true` and `y_pred`.
    """
    if type(loss) is Crossentropy or is_mean_over_columns(loss):
        return True
    arguments = {}
    if isinstance(loss, keras.losses.Loss):
        loss, arguments = wrapped_function(loss) or (None, {})
    if arguments.get("axis", -1) != -1:
        return False
    return any(loss is known for known in _ROW_LOSSES)
