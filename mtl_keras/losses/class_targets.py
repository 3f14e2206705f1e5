"""Class targets in both forms of Keras: integers and one-hot."""

from __future__ import annotations

import keras


def is_one_hot(y_true, y_pred) -> bool:
    """Returns whether class targets are one-hot, by their static shape.

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
    """Converts class targets to one-hot targets.

    Args:
        y_true: Integer or one-hot targets; see `is_one_hot`.
        y_pred: Predictions of shape `(..., num_classes)`.

    Returns:
        A tensor of the shape and dtype of `y_pred`.
    """
    if is_one_hot(y_true, y_pred):
        return keras.ops.cast(y_true, y_pred.dtype)
    y_true = keras.ops.cast(drop_channel(y_true, y_pred), "int32")
    return keras.ops.one_hot(y_true, y_pred.shape[-1], dtype=y_pred.dtype)


def to_integers(y_true, y_pred):
    """Converts class targets to integers.

    Args:
        y_true: Integer or one-hot targets; see `is_one_hot`.
        y_pred: Predictions of shape `(..., num_classes)`.

    Returns:
        An integer tensor of the shape of `y_pred` without its last axis.
    """
    if is_one_hot(y_true, y_pred):
        return keras.ops.argmax(y_true, axis=-1)
    return keras.ops.cast(drop_channel(y_true, y_pred), "int32")


def drop_channel(y_true, y_pred):
    """Drops a last axis of length 1 from integer targets.

    Args:
        y_true: Integer targets of shape `(...)` or `(..., 1)`.
        y_pred: Predictions of shape `(..., num_classes)`.
    """
    if len(y_true.shape) == len(y_pred.shape):
        return keras.ops.squeeze(y_true, axis=-1)
    return y_true
