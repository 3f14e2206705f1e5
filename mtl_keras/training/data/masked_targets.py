"""Targets with a valid value everywhere, and a mask of the labels."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
from keras import ops

from mtl_keras.keras_compat import mask_of
from mtl_keras.tasks import Task
from mtl_keras.tasks.missing import is_labelled
from mtl_keras.training.data.target_form import cut_padding, to_output_form


class MaskedTargets(NamedTuple):
    """Targets of a task with a valid value everywhere.

    Args:
        values: Targets, with 0 where the label is missing.
        labelled: Booleans of the shape of the elements (see `Task.labelled`),
            or `None` if all are labelled.
    """

    values: object
    labelled: object


def unlabelled(count: int) -> np.ndarray:
    """Makes targets of which all labels are missing, for any task.

    One NaN per sample is enough for a task with targets of a higher rank, so
    that nobody has to make a mask to say that it is missing.

    Args:
        count: Number of samples.
    """
    return np.full((count,), np.nan, "float32")


def mask_missing(task: Task, y_true, y_pred, *, complete=False):
    """Puts a valid value wherever the label is missing.

    NaN must not get into any product, because NaN x 0 is NaN.

    Args:
        task: The task.
        y_true: Targets: a tensor of one of the task's `target_shapes`, or
            what `unlabelled` makes.
        y_pred: Predictions, for their shape and Keras mask.
        complete: Whether no label is missing. Defaults to `False`.

    Returns:
        `MaskedTargets`.
    """
    output_shape = tuple(y_pred.shape)[1:]
    y_true = to_output_form(task, ops.convert_to_tensor(y_true), output_shape)
    y_true = cut_padding(task, y_true, y_pred)
    labelled = None
    if not complete:
        labelled = task.labelled(y_true, output_shape)
    if labelled is not None:
        y_true, labelled = _to_elements(task, y_true, labelled, y_pred)
        wide = len(y_true.shape) > len(labelled.shape)
        keep = labelled[..., None] if wide else labelled
        y_true = ops.where(keep, y_true, ops.zeros_like(y_true))
    return MaskedTargets(y_true, _and_keras_mask(labelled, y_pred))


def _to_elements(task: Task, y_true, labelled, y_pred) -> tuple:
    """Widens targets that say of whole samples that they have no label."""
    rank = len(y_pred.shape) - (not task.columns)
    narrow = any(
        found == 1 and wanted != 1
        for found, wanted in zip(
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


def _and_keras_mask(labelled, y_pred):
    """Leaves out the steps that Keras masks, such as padding."""
    mask = mask_of(y_pred)
    if mask is None:
        return labelled
    return mask if labelled is None else ops.logical_and(labelled, mask)


def any_label(tasks: Sequence[Task], y: Mapping):
    """Returns whether a batch has a label for any task.

    Args:
        tasks: The tasks.
        y: Dict from task name to targets.

    Returns:
        A boolean tensor.
    """
    found = []
    for task in tasks:
        y_true = ops.convert_to_tensor(y[task.name])
        labelled = is_labelled(y_true, task.missing_label)
        if task.complete_labels:
            labelled = None
        if labelled is None:
            return ops.convert_to_tensor(True)
        found.append(ops.any(labelled))
    return ops.any(ops.stack(found))
