"""Losses and metrics that are a mean over the columns of an output."""

from __future__ import annotations

import keras

from mtl_keras.keras_compat import wrapped_function

_MEANS_OVER_COLUMNS = (
    keras.losses.binary_crossentropy,
    keras.losses.binary_focal_crossentropy,
    keras.losses.hinge,
    keras.losses.huber,
    keras.losses.log_cosh,
    keras.losses.mean_absolute_error,
    keras.losses.mean_absolute_percentage_error,
    keras.losses.mean_squared_error,
    keras.losses.mean_squared_logarithmic_error,
    keras.losses.poisson,
    keras.losses.squared_hinge,
    keras.metrics.binary_accuracy,
)


def is_mean_over_columns(function, arguments=None) -> bool:
    """Returns whether a loss of a row is the mean of losses of its columns.

    Single columns can be left out of such a loss. Others, such as a cosine
    similarity, depend on the whole row.

    Args:
        function: A function of `y_true` and `y_pred`, or a Keras loss that
            wraps one.
        arguments: Dict of arguments of the function. Defaults to those of the
            loss.
    """
    if isinstance(function, keras.losses.Loss):
        function, arguments = wrapped_function(function) or (None, None)
    if (arguments or {}).get("axis", -1) != -1:
        return False
    return any(function is known for known in _MEANS_OVER_COLUMNS)
