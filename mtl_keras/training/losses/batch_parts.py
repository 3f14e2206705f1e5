"""A batch, parted by tasks: equal ones lie together along the batch axis.

What is computed for each sample by itself, such as the loss of a task, is
computed for equal tasks at once if the samples of all of them are one batch.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

import numpy as np
import tensorflow as tf

from mtl_keras.keras_compat import LOGITS, logits_of, mask_of, with_attributes
from mtl_keras.tasks import Task
from mtl_keras.training.data.class_weights import weights_of_classes
from mtl_keras.training.data.masked_targets import MaskedTargets, mask_missing
from mtl_keras.training.losses.loss_sums import weights_of


class BatchPart(NamedTuple):
    """What a batch has of one task, or of several that are alike.

    Of K tasks, the batch axis has the length `batch * K`: the first sample
    for each of the tasks, then the second one, and so on.

    Args:
        names: Names of the tasks.
        task: One of them, which stands for all.
        targets: Targets with a valid value everywhere.
        y_pred: Predictions.
        sample_weight: Weights that the user gave, or `None`.
        weights: These times the weights of classes, or `None`.
    """

    names: tuple[str, ...]
    task: Task
    targets: MaskedTargets
    y_pred: object
    sample_weight: object
    weights: object

    @property
    def rows(self):
        """Number of samples, an integer tensor."""
        return tf.shape(self.targets.values)[0] // len(self.names)

    def by_task(self) -> dict[str, BatchPart]:
        """A part for each task, by its name."""
        count = len(self.names)
        if count == 1:
            return {self.names[0]: self}
        leaves = (*self.targets, self.y_pred, self.sample_weight, self.weights)
        columns = zip(*(unfold(leaf, count) for leaf in leaves), strict=True)
        return {
            name: BatchPart(
                (name,), self.task, MaskedTargets(values, labelled), *rest
            )
            for name, (values, labelled, *rest) in zip(
                self.names, columns, strict=True
            )
        }


def part_batch(
    groups: Iterable[tuple[tuple[str, ...], Task]],
    y: Mapping,
    y_pred: Mapping,
    sample_weight: Mapping,
    class_weights: Mapping[str, np.ndarray],
    *,
    complete: bool,
) -> list[BatchPart]:
    """Parts a batch by tasks.

    Tasks of a group stay together as far as their targets and weights are of
    one form; labels of one task may be one-hot, and there may be no weights
    for another.

    Args:
        groups: Names of tasks that are alike, and one of them.
        y: Dict from task name to targets.
        y_pred: Dict from task name to predictions.
        sample_weight: Dict from task name to weights, or to `None`.
        class_weights: See `check_class_weights`.
        complete: Whether no label is missing.
    """
    parts = []
    for names, task in groups:
        forms = {}
        for name in names:
            form = _form(name, y, y_pred, sample_weight)
            forms.setdefault(form, []).append(name)
        for alike in forms.values():
            predicted = fold_outputs([y_pred[name] for name in alike])
            values = fold([y[name] for name in alike])
            targets = mask_missing(task, values, predicted, complete=complete)
            given = [sample_weight[name] for name in alike]
            given = None if given[0] is None else fold(given)
            part = BatchPart(
                tuple(alike), task, targets, predicted, given, given
            )
            parts.append(_with_class_weights(part, class_weights))
    return parts


def _form(name: str, y, y_pred, sample_weight) -> tuple:
    """What must be alike for tasks to be laid together."""
    given = [y[name], y_pred[name]]
    if sample_weight[name] is not None:
        given.append(sample_weight[name])
    forms = [
        (tf.as_dtype(tensor.dtype), tuple(tensor.shape)[1:]) for tensor in given
    ]
    unknown = any(None in shape for _, shape in forms)
    masked = mask_of(y_pred[name]) is not None
    alone = name if unknown or masked else None
    has_logits = logits_of(y_pred[name]) is not None
    return (*forms, has_logits, alone)


def _with_class_weights(part: BatchPart, tables: Mapping) -> BatchPart:
    found = [tables[name] for name in part.names if name in tables]
    if not found:
        return part
    count, ones = len(part.names), np.ones_like(found[0])
    by_class = fold(
        [
            weights_of_classes(tables.get(name, ones), values, y_pred)
            for name, values, y_pred in zip(
                part.names,
                unfold(part.targets.values, count),
                unfold(part.y_pred, count),
                strict=True,
            )
        ]
    )
    if part.weights is not None:
        by_class *= weights_of(part.weights, by_class)
    return part._replace(weights=by_class)


def fold(tensors: Sequence):
    """Lays tensors of several tasks together along the batch axis.

    Args:
        tensors: A tensor of shape `(batch, ...)` for each task.

    Returns:
        A tensor of shape `(batch * tasks, ...)`.
    """
    if len(tensors) == 1:
        return tensors[0]
    stacked = tf.stack(tensors, axis=1)
    return tf.reshape(stacked, (-1, *stacked.shape[2:]))


def fold_outputs(outputs: Sequence):
    """Lays outputs together, with what Keras says that they were made of.

    Args:
        outputs: The output of each task.
    """
    folded = fold(outputs)
    logits = [logits_of(output) for output in outputs]
    if len(outputs) > 1 and logits[0] is not None:
        with_attributes(folded, {LOGITS: fold(logits)})
    return folded


def unfold(tensor, count: int) -> list:
    """Takes apart what `fold` laid together.

    Args:
        tensor: A tensor of shape `(batch * tasks, ...)`, or `None`.
        count: Number of tasks.

    Returns:
        For each task a tensor of shape `(batch, ...)`, or `None`.
    """
    if count == 1 or tensor is None:
        return [tensor] * count
    shape = (-1, count, *tensor.shape[1:])
    return tf.unstack(tf.reshape(tensor, shape), axis=1)


def pick(values: Mapping[tuple[str, ...], object], names: Sequence[str]):
    """Puts what was found for the parts of a batch in order.

    Args:
        values: Dict from the names of a part to a tensor that has the part's
            tasks along its first axis.
        names: Names of tasks of one or several parts.

    Returns:
        A tensor that has these tasks along its first axis.
    """
    names = tuple(names)
    if names in values:
        return values[names]
    wanted = set(names)
    parts = [part for part in values if not wanted.isdisjoint(part)]
    found = [name for part in parts for name in part]
    joined = tf.concat([values[part] for part in parts], axis=0)
    if found == list(names):
        return joined
    places = {name: place for place, name in enumerate(found)}
    return tf.gather(joined, [places[name] for name in names])
