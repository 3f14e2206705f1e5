"""Sums of a task's losses over what is labelled, and how many they are."""

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
    """A loss in parts: its value is the sum of `sums / counts`.

    Parts of several batches or replicas add up, so that no batch counts more
    than it has labels.

    Args:
        sums: Weighted losses, summed over what is labelled, of shape `(tasks,
            terms)`.
        counts: What to divide these by.
    """

    sums: object
    counts: object

    def losses(self, counts):
        """Losses by other numbers of labels, of shape `(tasks,)`.

        Args:
            counts: Of several batches or replicas.
        """
        of_terms = tf.math.divide_no_nan(self.sums, counts)
        return tf.reduce_sum(of_terms, axis=-1)


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
    """Sums a task's losses over its labelled elements.

    Several tasks that are alike may lie together along the batch axis (see
    `BatchPart`).

    Args:
        loss: The loss.
        task: The task.
        targets: Targets with a valid value everywhere.
        y_pred: Predictions.
        weights: Sample weights of the shape of the samples or of the
            elements, or `None`.
        replicas: Number of replicas that the batch is spread over.
        num_tasks: Number of tasks that lie together. Defaults to `1`.

    Returns:
        `LossSums` with tensors of shape `(num_tasks, terms)`.

    Raises:
        ValueError: If the loss has no reduction.
    """
    y_true = to_loss_form(loss, task, targets.values, y_pred)
    y_true = ops.convert_to_tensor(y_true, dtype=loss.dtype)
    y_pred = ops.convert_to_tensor(y_pred, dtype=loss.dtype)
    parts = [
        _term(loss, values, labelled, targets.labelled, weights, num_tasks)
        for values, labelled in _terms(
            loss, task, y_true, y_pred, targets.labelled
        )
    ]
    sums, counts = (
        ops.stack(part, axis=-1) for part in zip(*parts, strict=True)
    )
    if loss.reduction == "sum":
        # One for the whole batch, which the replicas' shares add up to.
        counts = ops.ones_like(counts) / replicas
    elif loss.reduction in (None, "none"):
        raise ValueError(
            f"Task {task.name!r}: its loss has reduction=None; expected "
            "'sum_over_batch_size', 'sum' or 'mean_with_sample_weight'."
        )
    return LossSums(sums, counts)


def _terms(loss, task, y_true, y_pred, labelled) -> list[tuple]:
    """Values, and which of them count, for each term of a loss."""
    if isinstance(loss, ElementLoss):
        return loss.terms(y_true, y_pred, labelled)
    if task.columns and is_mean_over_columns(loss):
        return [(loss.call(y_true[..., None], y_pred[..., None]), labelled)]
    try:
        values = loss.call(y_true, y_pred)
    except (TypeError, ValueError, tf.errors.InvalidArgumentError) as error:
        raise ValueError(
            f"Task {task.name!r}: its loss {loss.name!r} fails on targets of "
            f"shape {tuple(y_true.shape)} and outputs of shape "
            f"{tuple(y_pred.shape)}: {error} A loss that compares class "
            "probabilities needs one-hot targets (keras.utils.to_categorical)."
        ) from error
    if len(values.shape) == 0:
        return [_of_whole_batch(loss, y_true, y_pred, labelled, values)]
    # A loss that looks at several elements counts if all are labelled.
    return [(values, to_rank(labelled, len(values.shape)))]


def _of_whole_batch(loss, y_true, y_pred, labelled, value):
    """A loss that is one number for a batch: that of the labelled samples."""
    if labelled is not None:
        labelled = to_rank(labelled, 1)
        # Of a batch with no label all samples are taken, to be left out after.
        keep = ops.logical_or(labelled, ops.logical_not(ops.any(labelled)))
        value = loss.call(
            tf.boolean_mask(y_true, keep), tf.boolean_mask(y_pred, keep)
        )
    values = ops.broadcast_to(value, ops.shape(y_pred)[:1])
    return values, labelled


def _term(loss, values, labelled, elements, weights, num_tasks: int) -> tuple:
    """Sums weighted values, and what each counts; 0 without a label."""
    by_weight = loss.reduction == "mean_with_sample_weight"
    if weights is not None:
        weights = weights_of(weights, values, elements)
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
    """Sums what tasks have that lie together along the batch axis.

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


def weights_of(weights, values, elements=None):
    """Brings sample weights to the rank of the values that they weight.

    Args:
        weights: A weight for each sample, or for each element.
        values: Values of samples or elements.
        elements: Booleans that tell labelled elements, or `None`. Where
            elements are weighted and values are of samples, the mean weight
            of the labelled elements counts.

    Returns:
        A tensor that multiplies `values`.
    """
    weights = ops.cast(ops.convert_to_tensor(weights), values.dtype)
    rank = len(values.shape)
    if len(weights.shape) == rank + 1 and weights.shape[-1] == 1:
        weights = weights[..., 0]
    if len(weights.shape) > rank:
        axes = tuple(range(rank, len(weights.shape)))
        keep = ops.ones_like(weights)
        if elements is not None:
            keep = ops.cast(elements, weights.dtype) * keep
        weights = ops.divide_no_nan(
            ops.sum(weights * keep, axis=axes), ops.sum(keep, axis=axes)
        )
    while len(weights.shape) < rank:
        weights = weights[..., None]
    return weights


def to_rank(labelled, rank: int):
    """Reduces booleans of elements to a lower rank: true where all are.

    Args:
        labelled: Booleans, or `None`.
        rank: The rank wanted.
    """
    if labelled is None or len(labelled.shape) <= rank:
        return labelled
    return ops.all(labelled, axis=tuple(range(rank, len(labelled.shape))))
