"""Rank of the values of a loss: per element, per sample or per batch."""

from __future__ import annotations

import contextlib

import keras
from keras import ops

from mtl_keras.losses.columns import is_mean_over_columns
from mtl_keras.losses.element_loss import ElementLoss
from mtl_keras.losses.loss_form import to_loss_form


def counted_rank(loss: keras.losses.Loss, task, output_shape: tuple) -> int:
    """Returns the rank of the values of a loss.

    Args:
        loss: The loss.
        task: The task.
        output_shape: Shape of the output without the batch axis; `None` means
            any length.

    Returns:
        The rank, batch axis included: that of the elements for a loss with a
        value per element, 1 for a loss per sample or per batch.
    """
    elements = len(output_shape) + task.columns
    if isinstance(loss, ElementLoss):
        return elements
    if task.columns and is_mean_over_columns(loss):
        return elements
    y_pred = ops.ones((1, *(size or 1 for size in output_shape)))
    full = task.columns or output_shape[-1] == 1
    shapes = [y_pred.shape] if full else [y_pred.shape[:-1], y_pred.shape]
    for shape in shapes:  # class ids, then one-hot targets
        y_true = to_loss_form(loss, task, ops.zeros(shape), y_pred)
        # A custom loss may fail on zeros; real data raises its error later.
        with contextlib.suppress(Exception):
            values = loss.call(ops.cast(y_true, loss.dtype), y_pred)
            return max(1, len(values.shape))
    return elements
