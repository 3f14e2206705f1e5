"""Brings targets of any allowed shape into the one that steps work on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import keras
import numpy as np
import tensorflow as tf

from mtl_keras.tasks import Task


def to_output_form(task: Task, targets, output_shape: tuple):
    """Brings the targets of a task to the rank that fits its output.

    Outputs with one channel have targets of the output's shape, `(batch, 1)`
    or `(batch, height, width, 1)`. Outputs with one value per class have class
    ids without the last axis, `(batch,)` or `(batch, height, width)`, or
    one-hot targets of the output's shape. Missing labels stay marked. Targets
    that say with one NaN per sample that a map is not labelled get axes of
    length 1.

    Args:
        task: The task.
        targets: Tensor of one of the task's `target_shapes`, or one NaN per
            sample.
        output_shape: Shape of the output without the batch axis.

    Returns:
        A tensor of the same dtype. Calling this function again changes
        nothing.
    """
    rank, full = len(targets.shape), len(output_shape) + 1
    one_channel = output_shape[-1] == 1
    if one_channel or task.columns:
        wanted = full
    elif rank == full and targets.shape[-1] == 1:
        return targets[..., 0]
    else:
        wanted = max(rank, full - 1)
    if rank == 1 < wanted and task.columns and not one_channel:
        return targets[(..., *[None] * (wanted - 1))]
    while len(targets.shape) < wanted:
        targets = targets[..., None]
    return targets


def to_override_form(task: Task, targets, output_shape: tuple):
    """Brings targets into the form that overridden methods see.

    That is the shape of `to_output_form`, class ids as int32 with -1 for a
    missing label, and everything else as float32.

    Args:
        task: The task.
        targets: See `to_output_form`.
        output_shape: See `to_output_form`.
    """
    targets = to_output_form(task, tf.convert_to_tensor(targets), output_shape)
    full = len(output_shape) + 1
    if len(targets.shape) == full:
        return tf.cast(targets, keras.config.floatx())
    if targets.dtype.is_floating:
        missing = tf.math.is_nan(targets)
        targets = tf.where(missing, tf.cast(-1, targets.dtype), targets)
    return tf.cast(targets, "int32")


def to_array_form(task: Task, targets, output_shape: tuple):
    """Brings a task's array into one rank and dtype, so that one trace serves.

    Class ids are integers with -1 for a missing label; small ones, such as
    those of masks, keep their dtype.

    Args:
        task: The task.
        targets: Array of one of the task's `target_shapes`, or one NaN per
            sample.
        output_shape: Shape of the output without the batch axis.

    Returns:
        An array of the shape of `to_output_form`. Tensors and targets that say
        with one NaN per sample that nothing is labelled keep their dtype.
    """
    if not isinstance(targets, np.ndarray):
        return to_output_form(task, targets, output_shape)
    narrow = targets.ndim == 1 < len(output_shape)
    targets = targets if narrow else to_output_form(task, targets, output_shape)
    full = targets.ndim == len(output_shape) + 1
    if narrow or full or task.columns:
        return targets
    if targets.dtype.kind == "f":
        return np.where(np.isnan(targets), -1, targets).astype("int32")
    if targets.dtype.kind in "iu" and targets.dtype.itemsize > 2:
        return targets.astype("int32", copy=False)
    return targets


def targets_by_task(tasks: Sequence[Task], y) -> Mapping:
    """Returns targets as a dict; a single task may come without one.

    Args:
        tasks: The tasks of the model.
        y: Dict from task name to targets, or the targets of the only task.
    """
    return y if isinstance(y, Mapping) else {tasks[0].name: y}


def cut_weights(task: Task, weights, output):
    """Cuts weights of steps off that lie behind the longest sentence.

    Args:
        task: The task.
        weights: Weights of samples or steps, or `None`.
        output: See `cut_padding`.
    """
    if weights is None or task.feature_rank != 3 or len(weights.shape) < 2:
        return weights
    if weights.shape[1] in (1, output.shape[1]):
        return weights
    return weights[:, : tf.shape(output)[1]]


def cut_padding(task: Task, targets, output):
    """Cuts tags off that lie behind the longest sentence of a batch.

    Args:
        task: The task.
        targets: Targets in the form of `to_output_form`.
        output: The output, whose second axis may be shorter.

    Returns:
        The targets, with as many steps as the output.

    Raises:
        InvalidArgumentError: When the step runs, if a label is cut off.
    """
    if task.feature_rank != 3:
        return targets
    length = output.shape[1]
    if length is not None and targets.shape[1] in (1, length):
        return targets
    steps = tf.shape(output)[1]
    rest = targets[:, steps:]
    if rest.dtype.is_floating:
        labels = tf.logical_not(tf.math.is_nan(rest) | (rest == -1))
    else:
        labels = rest != -1
    message = (
        f"Task {task.name!r}: found a label behind the last step of the "
        "longest sequence in the batch; expected -1 there."
    )
    with tf.control_dependencies(
        [tf.debugging.Assert(tf.logical_not(tf.reduce_any(labels)), [message])]
    ):
        return tf.identity(targets[:, :steps])
