"""Which losses give each sample a value that depends on it alone."""

from __future__ import annotations

import keras

from mtl_keras.keras_compat import wrapped_function
from mtl_keras.losses.columns import is_mean_over_columns
from mtl_keras.losses.crossentropy import Crossentropy

_OF_ROWS = (
    keras.losses.categorical_crossentropy,
    keras.losses.categorical_focal_crossentropy,
    keras.losses.categorical_hinge,
    keras.losses.cosine_similarity,
    keras.losses.kl_divergence,
    keras.losses.sparse_categorical_crossentropy,
)


def is_per_sample(loss) -> bool:
    """Tells whether samples may be laid side by side in any batch.

    Known of this library's cross-entropy and of Keras's losses of rows and of
    columns. Losses of a whole batch, and those of users, are not.

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
    return any(loss is known for known in _OF_ROWS)
