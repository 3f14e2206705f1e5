"""Sums and counts of the labelled losses of a task."""

from __future__ import annotations

from typing import NamedTuple

import keras
import tensorflow as tf
from keras import ops

from mtl_keras.losses.columns import is_mean_over_columns
from mtl_keras.losses.element_loss import ElementLoss
from mtl_keras.losses.loss_form import to_loss_form
from mtl_keras.tasks import Task
from mtl_keras.training.data.masked_targets import MaskedTargets


class LossSums(NamedTuple):
    """The sums and counts of a loss, whose value is the sum of `sums / counts`.

    Sums and counts of several batches or replicas can be added, so that each
    batch counts by its number of labels.

    Args:
        sums: Weighted losses summed over the labelled elements, of shape
            `(tasks, terms)`.
        counts: Denominators of the sums, of the same shape.
    """

    sums: object
    counts: object

    def divide_by(self, counts):
        """Divides the sums by total counts.

        Args:
            counts: Counts of several batches or replicas.

        Returns:
            The losses, a tensor of shape `(tasks,)`.
        """
        terms = tf.math.divide_no_nan(self.sums, counts)
        return tf.reduce_sum(terms, axis=-1)


def sum_losses(
    loss: keras.losses.Loss,
    task: Task,
    targets: MaskedTargets,
    y_pred,
    weights=None,
    *,
    replicas: int = 1,
    num_tasks: int = 1,
) -> LossSums:
    """Sums the losses of a task over its labelled elements.

    Several equal tasks may share the batch axis (see `TaskGroupBatch`).

    Args:
        loss: The loss.
        task: The task.
        targets: Masked targets.
        y_pred: Predictions.
        weights: Weights of samples or of elements, or `None`.
        replicas: Number of replicas of the batch. Defaults to 1.
        num_tasks: Number of tasks on the batch axis. Defaults to 1.

    Returns:
        `LossSums` with tensors of shape `(num_tasks, terms)`.

    Raises:
        ValueError: If the loss has `reduction=None`, or fails.
    """
    y_true = to_loss_form(loss, task, targets.values, y_pred)
    y_true = ops.convert_to_tensor(y_true, dtype=loss.dtype)
    y_pred = ops.convert_to_tensor(y_pred, dtype=loss.dtype)
    terms = [
        _sum_term(loss, values, labelled, targets.labelled, weights, num_tasks)
        for values, labelled in _compute_terms(
            loss, task, y_true, y_pred, targets.labelled
        )
    ]
    sums, counts = (
        ops.stack(values, axis=-1) for values in zip(*terms, strict=True)
    )
    if loss.reduction == "sum":
        # The replicas' counts add up to one.
        counts = ops.ones_like(counts) / replicas
    elif loss.reduction in (None, "none"):
        raise ValueError(
            f"Task {task.name!r}: the loss has reduction=None; expected "
            "'sum_over_batch_size', 'sum' or 'mean_with_sample_weight'."
        )
    return LossSums(sums, counts)


def _compute_terms(loss, task, y_true, y_pred, labelled) -> list[tuple]:
    """Computes the values and the label mask of each term of a loss."""
    if isinstance(loss, ElementLoss):
        return loss.terms(y_true, y_pred, labelled)
    if task.columns and is_mean_over_columns(loss):
        return [(loss.call(y_true[..., None], y_pred[..., None]), labelled)]
    try:
        values = loss.call(y_true, y_pred)
    except (TypeError, ValueError, tf.errors.InvalidArgumentError) as error:
        raise ValueError(
            f"Task {task.name!r}: the loss {loss.name!r} fails on targets of "
            f"shape {tuple(y_true.shape)} and outputs of shape "
            f"{tuple(y_pred.shape)}: {error} A loss that compares class "
            "probabilities requires one-hot targets "
            "(keras.utils.to_categorical)."
        ) from error
    if len(values.shape) == 0:
        return [_compute_batch_loss(loss, y_true, y_pred, labelled, values)]
    # A loss of several elements counts if all of them are labelled.
    return [(values, reduce_mask(labelled, len(values.shape)))]


def _compute_batch_loss(loss, y_true, y_pred, labelled, value):
    """Computes a scalar loss of a batch on its labelled samples."""
    if labelled is not None:
        labelled = reduce_mask(labelled, 1)
        # A batch without labels keeps all samples; they are masked later.
        keep = ops.logical_or(labelled, ops.logical_not(ops.any(labelled)))
        value = loss.call(
            tf.boolean_mask(y_true, keep), tf.boolean_mask(y_pred, keep)
        )
    values = ops.broadcast_to(value, ops.shape(y_pred)[:1])
    return values, labelled


def _sum_term(
    loss, values, labelled, elements, weights, num_tasks: int
) -> tuple:
    """Sums the weighted values and the counts of a term."""
    by_weight = loss.reduction == "mean_with_sample_weight"
    if weights is not None:
        weights = broadcast_weights(weights, values, elements)
        values = values * weights
    if labelled is None and (weights is None or not by_weight):
        each = tf.cast(tf.size(values), values.dtype) / num_tasks
        return sum_by_task(values, num_tasks), tf.fill([num_tasks], each)
    count = ops.ones_like(values)
    if weights is not None and by_weight:
        count = count * weights
    if labelled is not None:
        while len(labelled.shape) < len(values.shape):
            labelled = labelled[..., None]
        values = ops.where(labelled, values, ops.zeros_like(values))
        count = ops.where(labelled, count, ops.zeros_like(count))
    return sum_by_task(values, num_tasks), sum_by_task(count, num_tasks)


def sum_by_task(values, num_tasks: int):
    """Sums merged values by task.

    Args:
        values: Tensor of shape `(batch * num_tasks, ...)`.
        num_tasks: Number of tasks.

    Returns:
        A tensor of shape `(num_tasks,)`.
    """
    if num_tasks == 1:
        return ops.sum(values)[None]
    values = ops.reshape(values, (-1, num_tasks, *values.shape[1:]))
    axes = [axis for axis in range(len(values.shape)) if axis != 1]
    return ops.sum(values, axis=axes)


def broadcast_weights(weights, values, elements=None):
    """Converts sample weights to the rank of the values.

    Args:
        weights: Weights of samples or of elements.
        values: Values of samples or of elements.
        elements: Boolean mask of the labelled elements, or `None`. If
            `weights` has one weight per element and `values` one value per
            sample, the mean weight of the labelled elements applies.

    Returns:
        A tensor that can be multiplied with `values`.
    """
    weights = ops.cast(ops.convert_to_tensor(weights), values.dtype)
    rank = len(values.shape)
    if len(weights.shape) == rank + 1 and weights.shape[-1] == 1:
        weights = weights[..., 0]
    if len(weights.shape) > rank:
        axes = tuple(range(rank, len(weights.shape)))
        keep = ops.ones_like(weights)
        if elements is not None:
            # Masks may have an axis of size 1 that weights of pixels lack.
            if len(elements.shape) == len(weights.shape) + 1:
                elements = ops.squeeze(elements, axis=-1)
            elif len(elements.shape) == len(weights.shape) - 1:
                elements = elements[..., None]
            keep = ops.cast(elements, weights.dtype) * keep
        weights = ops.divide_no_nan(
            ops.sum(weights * keep, axis=axes), ops.sum(keep, axis=axes)
        )
    while len(weights.shape) < rank:
        weights = weights[..., None]
    return weights


def reduce_mask(labelled, rank: int):
    """Reduces a label mask to a lower rank with `all`.

    Args:
        labelled: Boolean tensor, or `None`.
        rank: The target rank.
    """
    if labelled is None or len(labelled.shape) <= rank:
        return labelled
    return ops.all(labelled, axis=tuple(range(rank, len(labelled.shape))))
