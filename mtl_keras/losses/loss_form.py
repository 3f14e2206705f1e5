"""Class targets in the form that a Keras loss takes: integers or one-hot."""

from __future__ import annotations

import keras

from mtl_keras.keras_compat import wrapped_function
from mtl_keras.losses.class_targets import is_one_hot, to_integers, to_one_hot

_ONE_HOT = (
    keras.losses.CategoricalCrossentropy,
    keras.losses.CategoricalFocalCrossentropy,
    keras.losses.CategoricalHinge,
    keras.losses.Dice,
    keras.losses.KLDivergence,
    keras.losses.Tversky,
)
_ONE_HOT_FUNCTIONS = (
    keras.losses.categorical_crossentropy,
    keras.losses.categorical_focal_crossentropy,
    keras.losses.categorical_hinge,
    keras.losses.dice,
    keras.losses.kl_divergence,
    keras.losses.tversky,
)


def to_loss_form(loss: keras.losses.Loss, task, y_true, y_pred):
    """Converts class targets to the form that a Keras loss takes.

    Args:
        loss: The loss. Only Keras's categorical losses need a conversion.
        task: The task.
        y_true: Integer or one-hot targets.
        y_pred: Predictions, with one value per class in the last axis.

    Returns:
        The targets.
    """
    if task.columns or y_pred.shape[-1] == 1:
        return y_true
    function = (wrapped_function(loss) or (None,))[0]
    if isinstance(loss, _ONE_HOT) or any(
        function is known for known in _ONE_HOT_FUNCTIONS
    ):
        return to_one_hot(y_true, y_pred)
    sparse = (
        isinstance(loss, keras.losses.SparseCategoricalCrossentropy)
        or function is keras.losses.sparse_categorical_crossentropy
    )
    if sparse and is_one_hot(y_true, y_pred):
        return to_integers(y_true, y_pred)
    return y_true
