"""A batch that is split by task; equal tasks share one batch axis.

A computation per sample, such as the loss of a task, then runs once for all
equal tasks.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

import numpy as np
import tensorflow as tf

from mtl_keras.keras_compat import (
    LOGITS,
    get_logits,
    get_mask,
    set_output_attributes,
)
from mtl_keras.tasks import Task
from mtl_keras.training.data.class_weights import gather_class_weights
from mtl_keras.training.data.masked_targets import MaskedTargets, mask_missing
from mtl_keras.training.losses.loss_sums import broadcast_weights


class TaskGroupBatch(NamedTuple):
    """The batch of one task, or of several equal tasks.

    With K tasks, the batch axis has length `batch * K`: the first sample of
    each task, then the second sample of each task, and so on.

    Args:
        names: Names of the tasks.
        task: One of the tasks, which represents all.
        targets: Masked targets.
        y_pred: Predictions.
        sample_weight: Sample weights of the user, or `None`.
        weights: Sample weights times class weights, or `None`.
    """

    names: tuple[str, ...]
    task: Task
    targets: MaskedTargets
    y_pred: object
    sample_weight: object
    weights: object

    @property
    def num_samples(self):
        """The number of samples, an integer tensor."""
        return tf.shape(self.targets.values)[0] // len(self.names)

    def by_task(self) -> dict[str, TaskGroupBatch]:
        """Returns a dict from task name to the batch of this task."""
        count = len(self.names)
        if count == 1:
            return {self.names[0]: self}
        leaves = (*self.targets, self.y_pred, self.sample_weight, self.weights)
        columns = zip(*(unmerge(leaf, count) for leaf in leaves), strict=True)
        return {
            name: TaskGroupBatch(
                (name,), self.task, MaskedTargets(values, labelled), *rest
            )
            for name, (values, labelled, *rest) in zip(
                self.names, columns, strict=True
            )
        }


def split_batch(
    groups: Iterable[tuple[tuple[str, ...], Task]],
    y: Mapping,
    y_pred: Mapping,
    sample_weight: Mapping,
    class_weights: Mapping[str, np.ndarray],
    *,
    complete: bool,
) -> list[TaskGroupBatch]:
    """Splits a batch by task.

    The tasks of a group stay together if their targets and weights have the
    same format. For example, one task may have one-hot labels or no weights.

    Args:
        groups: Pairs of the names of equal tasks and one of the tasks.
        y: Dict from task name to targets.
        y_pred: Dict from task name to predictions.
        sample_weight: Dict from task name to weights, or to `None`.
        class_weights: See `check_class_weights`.
        complete: Whether all labels are present.
    """
    group_batches = []
    for names, task in groups:
        by_format = {}
        for name in names:
            key = _format_key(name, y, y_pred, sample_weight)
            by_format.setdefault(key, []).append(name)
        for equal in by_format.values():
            predicted = merge_outputs([y_pred[name] for name in equal])
            values = merge([y[name] for name in equal])
            targets = mask_missing(task, values, predicted, complete=complete)
            weights = [sample_weight[name] for name in equal]
            weights = None if weights[0] is None else merge(weights)
            group_batch = TaskGroupBatch(
                tuple(equal), task, targets, predicted, weights, weights
            )
            group_batches.append(
                _apply_class_weights(group_batch, class_weights)
            )
    return group_batches


def _format_key(name: str, y, y_pred, sample_weight) -> tuple:
    """Returns the properties that tasks must share to be merged."""
    tensors = [y[name], y_pred[name]]
    if sample_weight[name] is not None:
        tensors.append(sample_weight[name])
    formats = [
        (tf.as_dtype(tensor.dtype), tuple(tensor.shape)[1:])
        for tensor in tensors
    ]
    unknown = any(None in shape for _, shape in formats)
    masked = get_mask(y_pred[name]) is not None
    unique = name if unknown or masked else None
    has_logits = get_logits(y_pred[name]) is not None
    return (*formats, has_logits, unique)


def _apply_class_weights(
    group_batch: TaskGroupBatch, class_weights: Mapping
) -> TaskGroupBatch:
    """Multiplies the weights of a batch by the class weights."""
    names = group_batch.names
    found = [class_weights[name] for name in names if name in class_weights]
    if not found:
        return group_batch
    count, ones = len(names), np.ones_like(found[0])
    by_class = merge(
        [
            gather_class_weights(class_weights.get(name, ones), values, y_pred)
            for name, values, y_pred in zip(
                names,
                unmerge(group_batch.targets.values, count),
                unmerge(group_batch.y_pred, count),
                strict=True,
            )
        ]
    )
    if group_batch.weights is not None:
        by_class *= broadcast_weights(group_batch.weights, by_class)
    return group_batch._replace(weights=by_class)


def merge(tensors: Sequence):
    """Merges the tensors of several tasks along the batch axis.

    Args:
        tensors: One tensor of shape `(batch, ...)` per task.

    Returns:
        A tensor of shape `(batch * tasks, ...)`.
    """
    if len(tensors) == 1:
        return tensors[0]
    stacked = tf.stack(tensors, axis=1)
    return tf.reshape(stacked, (-1, *stacked.shape[2:]))


def merge_outputs(outputs: Sequence):
    """Merges outputs along the batch axis, including their logits.

    Args:
        outputs: One output per task.
    """
    merged = merge(outputs)
    logits = [get_logits(output) for output in outputs]
    if len(outputs) > 1 and logits[0] is not None:
        set_output_attributes(merged, {LOGITS: merge(logits)})
    return merged


def unmerge(tensor, count: int) -> list:
    """Splits a merged tensor by task; the inverse of `merge`.

    Args:
        tensor: Tensor of shape `(batch * tasks, ...)`, or `None`.
        count: Number of tasks.

    Returns:
        A list with one tensor of shape `(batch, ...)`, or `None`, per task.
    """
    if count == 1 or tensor is None:
        return [tensor] * count
    shape = (-1, count, *tensor.shape[1:])
    return tf.unstack(tf.reshape(tensor, shape), axis=1)


def concat_tasks(
    values: Mapping[tuple[str, ...], object], names: Sequence[str]
):
    """Concatenates values of task groups in the order of some tasks.

    Args:
        values: Dict from the task names of a group to a tensor whose first
            axis is these tasks.
        names: Names of tasks from one or several groups.

    Returns:
        A tensor whose first axis is `names`.
    """
    names = tuple(names)
    if names in values:
        return values[names]
    wanted = set(names)
    groups = [group for group in values if not wanted.isdisjoint(group)]
    found = [name for group in groups for name in group]
    joined = tf.concat([values[group] for group in groups], axis=0)
    if found == list(names):
        return joined
    indices = {name: index for index, name in enumerate(found)}
    return tf.gather(joined, [indices[name] for name in names])
