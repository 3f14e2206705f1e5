"""Masked targets: valid values everywhere, and a mask of the labels."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
from keras import ops

from mtl_keras.keras_compat import get_mask
from mtl_keras.tasks import Task
from mtl_keras.tasks.missing import is_labelled
from mtl_keras.training.data.target_form import crop_padding, to_output_form


class MaskedTargets(NamedTuple):
    """The targets of a task, with a mask of the labels.

    Args:
        values: Targets, with 0 for missing labels.
        labelled: Boolean tensor with one value per element (see
            `Task.labelled`), or `None` if all elements are labelled.
    """

    values: object
    labelled: object


def make_missing_targets(count: int) -> np.ndarray:
    """Creates targets for any task in which all labels are missing.

    One NaN per sample also represents targets of a higher rank, so that no
    mask of missing pixels is required.

    Args:
        count: Number of samples.
    """
    return np.full((count,), np.nan, "float32")


def mask_missing(task: Task, y_true, y_pred, *, complete=False):
    """Replaces missing labels with a valid value and masks them.

    NaN must not enter a product, because NaN x 0 is NaN.

    Args:
        task: The task.
        y_true: Tensor of one of the task's `target_shapes`, or the result of
            `make_missing_targets`.
        y_pred: Predictions; only their shape and Keras mask are used.
        complete: Whether all labels are present. Defaults to `False`.

    Returns:
        `MaskedTargets`.
    """
    output_shape = tuple(y_pred.shape)[1:]
    y_true = to_output_form(task, ops.convert_to_tensor(y_true), output_shape)
    y_true = crop_padding(task, y_true, y_pred)
    labelled = None
    if not complete:
        labelled = task.labelled(y_true, output_shape)
    if labelled is not None:
        y_true, labelled = _broadcast_to_elements(
            task, y_true, labelled, y_pred
        )
        wide = len(y_true.shape) > len(labelled.shape)
        keep = labelled[..., None] if wide else labelled
        y_true = ops.where(keep, y_true, ops.zeros_like(y_true))
    return MaskedTargets(y_true, _apply_keras_mask(labelled, y_pred))


def _broadcast_to_elements(task: Task, y_true, labelled, y_pred) -> tuple:
    """Broadcasts missing targets of whole samples to their elements."""
    rank = len(y_pred.shape) - (not task.columns)
    narrow = any(
        size == 1 and output_size != 1
        for size, output_size in zip(
            labelled.shape[1:], y_pred.shape[1:rank], strict=False
        )
    )
    if len(labelled.shape) == rank and not narrow:
        return y_true, labelled
    while len(labelled.shape) < rank:
        labelled = labelled[..., None]
    elements = ops.shape(y_pred)[:rank]
    while len(y_true.shape) < rank:
        y_true = y_true[..., None]
    shape = elements
    if len(y_true.shape) > rank:
        shape = (*elements, y_true.shape[-1])
    return (
        ops.broadcast_to(y_true, shape),
        ops.broadcast_to(labelled, elements),
    )


def _apply_keras_mask(labelled, y_pred):
    """Excludes the timesteps that Keras masks, such as padding."""
    mask = get_mask(y_pred)
    if mask is None:
        return labelled
    return mask if labelled is None else ops.logical_and(labelled, mask)


def has_any_label(tasks: Sequence[Task], y: Mapping):
    """Returns whether a batch has a label for any task.

    Args:
        tasks: The tasks.
        y: Dict from task name to targets.

    Returns:
        A boolean scalar.
    """
    has_label = []
    for task in tasks:
        y_true = ops.convert_to_tensor(y[task.name])
        labelled = is_labelled(y_true, task.missing_label)
        if task.complete_labels:
            labelled = None
        if labelled is None:
            return ops.convert_to_tensor(True)
        has_label.append(ops.any(labelled))
    return ops.any(ops.stack(has_label))
