"""Converts targets of any allowed shape to one form."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import keras
import numpy as np
import tensorflow as tf

from mtl_keras.tasks import Task


def to_output_form(task: Task, targets, output_shape: tuple):
    """Converts the targets of a task to the rank that matches its output.

    Targets of outputs with one channel get the shape of the output, `(batch,
    1)` or `(batch, height, width, 1)`. For outputs with one value per class,
    class ids have no last axis, `(batch,)` or `(batch, height, width)`, and
    one-hot targets have the shape of the output. Missing labels remain -1 or
    NaN. Missing targets of whole samples, one NaN each, get axes of length 1.

    Args:
        task: The task.
        targets: Tensor of one of the task's `target_shapes`, or one NaN per
            sample.
        output_shape: Shape of the output without the batch axis.

    Returns:
        A tensor of the same dtype. The function is idempotent.
    """
    rank, output_rank = len(targets.shape), len(output_shape) + 1
    one_channel = output_shape[-1] == 1
    if one_channel or task.columns:
        target_rank = output_rank
    elif rank == output_rank and targets.shape[-1] == 1:
        return targets[..., 0]
    else:
        target_rank = max(rank, output_rank - 1)
    if rank == 1 < target_rank and task.columns and not one_channel:
        return targets[(..., *[None] * (target_rank - 1))]
    while len(targets.shape) < target_rank:
        targets = targets[..., None]
    return targets


def to_override_form(task: Task, targets, output_shape: tuple):
    """Converts targets to the form that overridden methods receive.

    They get the shape of `to_output_form`. Class ids become int32 with -1 for
    missing labels, other targets become float32.

    Args:
        task: The task.
        targets: See `to_output_form`.
        output_shape: See `to_output_form`.
    """
    targets = to_output_form(task, tf.convert_to_tensor(targets), output_shape)
    if len(targets.shape) == len(output_shape) + 1:
        return tf.cast(targets, keras.config.floatx())
    if targets.dtype.is_floating:
        missing = tf.math.is_nan(targets)
        targets = tf.where(missing, tf.cast(-1, targets.dtype), targets)
    return tf.cast(targets, "int32")


def to_array_form(task: Task, targets, output_shape: tuple):
    """Converts an array to one rank and dtype, so that one trace suffices.

    Class ids become integers with -1 for missing labels; integers of up to 16
    bits, such as those of masks, keep their dtype.

    Args:
        task: The task.
        targets: Array of one of the task's `target_shapes`, or one NaN per
            sample.
        output_shape: Shape of the output without the batch axis.

    Returns:
        An array with the shape of `to_output_form`. Tensors and missing
        targets of whole samples keep their dtype.
    """
    if not isinstance(targets, np.ndarray):
        return to_output_form(task, targets, output_shape)
    narrow = targets.ndim == 1 < len(output_shape)
    targets = targets if narrow else to_output_form(task, targets, output_shape)
    has_output_rank = targets.ndim == len(output_shape) + 1
    if narrow or has_output_rank or task.columns:
        return targets
    if targets.dtype.kind == "f":
        return np.where(np.isnan(targets), -1, targets).astype("int32")
    if targets.dtype.kind in "iu" and targets.dtype.itemsize > 2:
        return targets.astype("int32", copy=False)
    return targets


def targets_by_task(tasks: Sequence[Task], y) -> Mapping:
    """Returns targets as a dict from task name to targets.

    Args:
        tasks: The tasks of the model.
        y: Dict from task name to targets. With one task also its targets.
    """
    return y if isinstance(y, Mapping) else {tasks[0].name: y}


def crop_weights(task: Task, weights, output):
    """Crops sample weights to the timesteps of an output.

    Args:
        task: The task.
        weights: Weights of samples or timesteps, or `None`.
        output: See `crop_padding`.
    """
    if weights is None or task.labels_per != "step" or len(weights.shape) < 2:
        return weights
    if weights.shape[1] in (1, output.shape[1]):
        return weights
    return weights[:, : tf.shape(output)[1]]


def crop_padding(task: Task, targets, output):
    """Crops tags to the timesteps of an output.

    Args:
        task: The task.
        targets: Targets in the form of `to_output_form`.
        output: The output, whose second axis may be shorter.

    Returns:
        Targets with as many timesteps as the output.

    Raises:
        InvalidArgumentError: When the step runs, if a label is removed.
    """
    if task.labels_per != "step":
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
        f"Task {task.name!r}: found a label after the last timestep of the "
        "longest sequence in the batch; expected -1."
    )
    with tf.control_dependencies(
        [tf.debugging.Assert(tf.logical_not(tf.reduce_any(labels)), [message])]
    ):
        return tf.identity(targets[:, :steps])
