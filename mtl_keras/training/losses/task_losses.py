"""Computes the task losses from outputs and targets."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import keras
import tensorflow as tf
from keras import ops

from mtl_keras.distribution.replicas import sum_over_replicas
from mtl_keras.keras_compat import wrapped_function
from mtl_keras.losses.element_loss import ElementLoss
from mtl_keras.losses.function_loss import FunctionLoss
from mtl_keras.tasks import Task
from mtl_keras.tasks.missing_object import MissingObject
from mtl_keras.training.data.target_form import (
    crop_weights,
    targets_by_task,
    to_output_form,
)
from mtl_keras.training.losses.loss_sums import LossSums, sum_losses
from mtl_keras.training.losses.task_group_batch import (
    TaskGroupBatch,
    concat_tasks,
    split_batch,
)
from mtl_keras.training.losses.task_groups import TaskGroup


class BatchLosses(NamedTuple):
    """The losses of a replica's part of a batch.

    Args:
        group_batches: The batch, split by task.
        sums: Dict from the task names of a group to its `LossSums`.
        weighted: This replica's share of the task losses times the loss
            weights, of shape `(tasks,)`. The sum over the replicas is the loss
            of the batch.
        added: The loss that an overridden `compute_loss` adds, a mean over the
            samples of this replica (0 without samples), or `None`.
    """

    group_batches: list[TaskGroupBatch]
    sums: dict[tuple[str, ...], LossSums]
    weighted: object
    added: object = None

    @property
    def num_samples(self):
        """The number of samples, an integer tensor."""
        return self.group_batches[0].num_samples

    @property
    def added_share(self):
        """This replica's share of `added`, or `None`."""
        if self.added is None:
            return None
        num_samples = tf.cast(self.num_samples, self.added.dtype)
        (total,) = sum_over_replicas([num_samples])
        return self.added * tf.math.divide_no_nan(num_samples, total)


class TaskLosses:
    """Computes the task losses of a model.

    A task's loss is the sum of the weighted losses of its labelled elements,
    divided by the number of labelled elements in the whole batch.

    Args:
        tasks: The tasks of the model.
        losses: Dict from task name to a `keras.losses.Loss`, a name, a
            function, or `None` for a task without loss.
        loss_weights: Dict from task name to the variable of its loss weight.
        groups: Groups of tasks that are computed together.
    """

    def __init__(
        self,
        tasks: Sequence[Task],
        losses: Mapping[str, Any],
        loss_weights: Mapping[str, keras.Variable],
        groups: Sequence[TaskGroup] = (),
    ):
        self.tasks = tuple(tasks)
        self.groups = tuple(groups)
        self.losses = {
            task.name: _get_loss(task, losses[task.name])
            for task in tasks
            if losses[task.name] is not None
        }
        self._loss_weights = loss_weights
        together = {name for group in groups for name in group.names}
        self._groups = [
            *((group.names, group.task) for group in groups),
            *(((t.name,), t) for t in tasks if t.name not in together),
        ]

    @property
    def names(self) -> tuple[str, ...]:
        """The names of the tasks with a loss."""
        return tuple(self.losses)

    @property
    def num_terms(self) -> int:
        """The largest number of terms of a loss."""
        terms = [
            loss.num_terms if isinstance(loss, ElementLoss) else 1
            for loss in self.losses.values()
        ]
        return max(terms, default=1)

    def compute(
        self,
        y,
        y_pred: Mapping,
        sample_weight=None,
        *,
        class_weights: Mapping | None = None,
        complete: bool = False,
    ) -> BatchLosses:
        """Computes the losses of a batch.

        Inside a replica, sums are divided by the label counts of all replicas,
        so that the sum of the replicas' gradients is the gradient of the whole
        batch.

        Args:
            y: See `split_batch`.
            y_pred: See `split_batch`.
            sample_weight: See `split_batch`.
            class_weights: See `split_batch`.
            complete: See `split_batch`.
        """
        group_batches = self.split_batch(
            y,
            y_pred,
            sample_weight,
            class_weights=class_weights,
            complete=complete,
        )
        sums = self.loss_sums(group_batches)
        shares = tf.cast(self._compute_shares(sums), "float32")
        weighted = shares * self.stack_loss_weights()
        return BatchLosses(group_batches, sums, weighted)

    def split_batch(
        self,
        y,
        y_pred: Mapping,
        sample_weight=None,
        *,
        class_weights: Mapping | None = None,
        complete: bool = False,
    ) -> list[TaskGroupBatch]:
        """Splits a batch by task; the tasks of a group stay together.

        Args:
            y: Dict from task name to targets of any allowed shape; for one
                task also its targets.
            y_pred: Dict from task name to predictions.
            sample_weight: `None`, an array for all tasks, or a dict from task
                name to array. Defaults to `None`.
            class_weights: Dict from task name to an array of class weights
                (see `check_class_weights`). Defaults to `None`.
            complete: Whether all labels are present. Defaults to `False`.
        """
        y = targets_by_task(self.tasks, y)
        if not isinstance(sample_weight, Mapping):
            sample_weight = {task.name: sample_weight for task in self.tasks}
        targets = {
            task.name: to_output_form(
                task,
                ops.convert_to_tensor(y[task.name]),
                tuple(y_pred[task.name].shape)[1:],
            )
            for task in self.tasks
        }
        weights = {
            task.name: crop_weights(
                task, sample_weight[task.name], y_pred[task.name]
            )
            for task in self.tasks
        }
        return split_batch(
            self._groups,
            targets,
            y_pred,
            weights,
            class_weights or {},
            complete=complete,
        )

    def loss_sums(
        self,
        group_batches: Sequence[TaskGroupBatch],
        replicas: int | None = None,
    ) -> dict[tuple[str, ...], LossSums]:
        """Sums the losses of each task group.

        Args:
            group_batches: The batch, split by task.
            replicas: Number of replicas of the batch. Defaults to the replicas
                of the strategy.

        Returns:
            Dict from the task names of a group to its `LossSums`, for tasks
            with a loss.
        """
        if replicas is None:
            replicas = tf.distribute.get_strategy().num_replicas_in_sync
        return {
            group_batch.names: sum_losses(
                self.losses[group_batch.names[0]],
                group_batch.task,
                group_batch.targets,
                group_batch.y_pred,
                group_batch.weights,
                replicas=replicas,
                num_tasks=len(group_batch.names),
            )
            for group_batch in group_batches
            if group_batch.names[0] in self.losses
        }

    def divide_sums(self, sums: Mapping, counts: Sequence):
        """Divides loss sums by total counts.

        Args:
            sums: The result of `loss_sums`.
            counts: For each entry of `sums`, the counts to divide by.

        Returns:
            A tensor of shape `(tasks,)`, in the order of `names`.
        """
        losses = {
            names: group_sums.divide_by(count)
            for (names, group_sums), count in zip(
                sums.items(), counts, strict=True
            )
        }
        return concat_tasks(losses, self.names)

    def _compute_shares(self, sums: Mapping):
        """Computes this replica's share of the task losses, `(tasks,)`."""
        counts = sum_over_replicas([s.counts for s in sums.values()])
        return self.divide_sums(sums, counts)

    def stack_sums(self, sums: Mapping) -> LossSums:
        """Stacks the loss sums of all tasks.

        Args:
            sums: The result of `loss_sums`.

        Returns:
            `LossSums` with tensors of shape `(tasks, num_terms)`.
        """
        padded = [
            {n: _pad(pair[k], self.num_terms) for n, pair in sums.items()}
            for k in range(2)
        ]
        return LossSums(
            *(concat_tasks(values, self.names) for values in padded)
        )

    def stack_loss_weights(self):
        """Returns the loss weights, a float32 tensor of shape `(tasks,)`."""
        weights = [self._loss_weights[name] for name in self.names]
        return tf.stack([ops.cast(weight, "float32") for weight in weights])


def _pad(values, terms: int):
    missing = terms - values.shape[-1]
    return tf.pad(values, [[0, 0], [0, missing]]) if missing else values


def _get_loss(task: Task, loss) -> keras.losses.Loss:
    if isinstance(loss, MissingObject):
        raise loss.error(f"task {task.name!r}")
    found = keras.losses.get(loss)
    _, arguments = wrapped_function(found) or (None, {})
    if arguments.get("ignore_class") is not None:
        raise ValueError(
            f"Task {task.name!r}: the loss {found.name!r} has ignore_class="
            f"{arguments['ignore_class']}, whose elements would count in the "
            "denominator. Remove it, and use the label -1 where a label is "
            "missing or void."
        )
    if isinstance(found, keras.losses.Loss):
        return found
    return FunctionLoss(found)
