"""Class targets in the two forms that Keras knows: integers and one-hot."""

from __future__ import annotations

import keras


def is_one_hot(y_true, y_pred) -> bool:
    """Tells one-hot class targets from integer ones by their static shape.

    Args:
        y_true: Targets of shape `(..., num_classes)` (one-hot, or class
            probabilities), `(...)` or `(..., 1)` (integers).
        y_pred: Predictions of shape `(..., num_classes)`.

    Returns:
        `True` if the targets hold one value per class.
    """
    return (
        len(y_true.shape) == len(y_pred.shape)
        and y_true.shape[-1] == y_pred.shape[-1]
    )


def to_one_hot(y_true, y_pred):
    """Brings class targets into the shape and dtype of the predictions.

    Args:
        y_true: Integer or one-hot targets, see `is_one_hot`.
        y_pred: Predictions of shape `(..., num_classes)`.

    Returns:
        A tensor of the shape and dtype of `y_pred`.
    """
    if is_one_hot(y_true, y_pred):
        return keras.ops.cast(y_true, y_pred.dtype)
    y_true = keras.ops.cast(drop_channel(y_true, y_pred), "int32")
    return keras.ops.one_hot(y_true, y_pred.shape[-1], dtype=y_pred.dtype)


def to_integers(y_true, y_pred):
    """Brings class targets into the integer form.

    Args:
        y_true: Integer or one-hot targets, see `is_one_hot`.
        y_pred: Predictions of shape `(..., num_classes)`.

    Returns:
        An integer tensor of the shape of `y_pred` without its last axis.
    """
    if is_one_hot(y_true, y_pred):
        return keras.ops.argmax(y_true, axis=-1)
    return keras.ops.cast(drop_channel(y_true, y_pred), "int32")


def drop_channel(y_true, y_pred):
    """Takes a last axis of length 1 off integer targets that have one."""
    if len(y_true.shape) == len(y_pred.shape):
        return keras.ops.squeeze(y_true, axis=-1)
    return y_true
