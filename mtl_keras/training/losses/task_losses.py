"""The losses of a model's tasks, computed from outputs and targets."""

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
    cut_weights,
    targets_by_task,
    to_output_form,
)
from mtl_keras.training.losses.batch_parts import BatchPart, part_batch, pick
from mtl_keras.training.losses.loss_sums import LossSums, sum_losses
from mtl_keras.training.losses.task_groups import TaskGroup


class BatchLosses(NamedTuple):
    """The losses of the part of a batch that a replica has.

    Args:
        parts: The batch, split by tasks.
        sums: Dict from the names of a part to its `LossSums`.
        weighted: This replica's share of the task losses times the user's
            weights, of shape `(tasks,)`. The sum over the replicas is the loss
            of the batch.
        added: A loss that an overridden `compute_loss` adds, as a mean over
            the samples of this replica (0 without samples), or `None`.
    """

    parts: list[BatchPart]
    sums: dict[tuple[str, ...], LossSums]
    weighted: object
    added: object = None

    @property
    def rows(self):
        """Number of samples, an integer tensor."""
        return self.parts[0].rows

    @property
    def share_of_added(self):
        """This replica's share of `added` of the whole batch, or `None`."""
        if self.added is None:
            return None
        rows = tf.cast(self.rows, self.added.dtype)
        (total,) = sum_over_replicas([rows])
        return self.added * tf.math.divide_no_nan(rows, total)


class TaskLosses:
    """Computes the losses of the tasks of a model.

    A task's loss is the sum of the weighted losses of its labelled elements,
    divided by the number of these in the whole batch.

    Args:
        tasks: The tasks of the model.
        losses: Dict from task name to a loss: a `keras.losses.Loss`, a name or
            a function. `None` leaves a task without one.
        loss_weights: Dict from task name to the variable of its weight.
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
            task.name: _as_loss(task, losses[task.name])
            for task in tasks
            if losses[task.name] is not None
        }
        self._loss_weights = loss_weights
        together = {name for group in groups for name in group.names}
        self._parts = [
            *((group.names, group.task) for group in groups),
            *(((t.name,), t) for t in tasks if t.name not in together),
        ]

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the tasks that have a loss."""
        return tuple(self.losses)

    @property
    def num_terms(self) -> int:
        """The largest number of terms that a loss has."""
        terms = [
            loss.num_terms if isinstance(loss, ElementLoss) else 1
            for loss in self.losses.values()
        ]
        return max(terms, default=1)

    def of_batch(
        self,
        y,
        y_pred: Mapping,
        sample_weight=None,
        *,
        class_weights: Mapping | None = None,
        complete: bool = False,
    ) -> BatchLosses:
        """Computes the losses of a batch.

        Inside of a replica, the numbers of labels are summed over all replicas
        before losses are divided by them, so that the sum of their gradients
        is the gradient of the whole batch.

        Args:
            y: See `parts`.
            y_pred: See `parts`.
            sample_weight: See `parts`.
            class_weights: See `parts`.
            complete: See `parts`.
        """
        parts = self.parts(
            y,
            y_pred,
            sample_weight,
            class_weights=class_weights,
            complete=complete,
        )
        sums = self.sums(parts)
        shares = tf.cast(self.shares(sums), "float32")
        return BatchLosses(parts, sums, shares * self.weights())

    def parts(
        self,
        y,
        y_pred: Mapping,
        sample_weight=None,
        *,
        class_weights: Mapping | None = None,
        complete: bool = False,
    ) -> list[BatchPart]:
        """Splits a batch by tasks; tasks of a group stay together.

        Args:
            y: Dict from task name to targets of any allowed shape; for one
                task, the targets are enough.
            y_pred: Dict from task name to predictions.
            sample_weight: `None`, weights of all tasks, or a dict of them.
            class_weights: Dict from task name to a weight for each class (see
                `check_class_weights`).
            complete: Whether no label is missing. Defaults to `False`.
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
            task.name: cut_weights(
                task, sample_weight[task.name], y_pred[task.name]
            )
            for task in self.tasks
        }
        return part_batch(
            self._parts,
            targets,
            y_pred,
            weights,
            class_weights or {},
            complete=complete,
        )

    def sums(
        self, parts: Sequence[BatchPart], replicas: int | None = None
    ) -> dict[tuple[str, ...], LossSums]:
        """Sums the losses of each part of a batch whose tasks have one.

        Args:
            parts: What `parts` returned.
            replicas: What the batch is spread over. Defaults to the replicas
                of the strategy.
        """
        if replicas is None:
            replicas = tf.distribute.get_strategy().num_replicas_in_sync
        return {
            part.names: sum_losses(
                self.losses[part.names[0]],
                part.task,
                part.targets,
                part.y_pred,
                part.weights,
                replicas=replicas,
                num_tasks=len(part.names),
            )
            for part in parts
            if part.names[0] in self.losses
        }

    def values(self, sums: Mapping, counts: Sequence):
        """Divides sums by numbers of labels.

        Args:
            sums: What `sums` returned.
            counts: For each entry, the numbers of labels to divide by.

        Returns:
            A tensor of shape `(tasks,)`, in the order of `names`.
        """
        losses = {
            names: of_part.losses(count)
            for (names, of_part), count in zip(
                sums.items(), counts, strict=True
            )
        }
        return pick(losses, self.names)

    def shares(self, sums: Mapping):
        """Returns this replica's share of the task losses, `(tasks,)`."""
        counts = sum_over_replicas([s.counts for s in sums.values()])
        return self.values(sums, counts)

    def stacked(self, sums: Mapping) -> LossSums:
        """Stacks the sums of all tasks, of shape `(tasks, num_terms)`.

        Args:
            sums: What `sums` returned.
        """
        padded = [
            {names: _pad(of[k], self.num_terms) for names, of in sums.items()}
            for k in range(2)
        ]
        return LossSums(*(pick(values, self.names) for values in padded))

    def weights(self):
        """Returns the user's loss weights, a float32 tensor `(tasks,)`."""
        weights = [self._loss_weights[name] for name in self.names]
        return tf.stack([ops.cast(weight, "float32") for weight in weights])


def _pad(values, terms: int):
    missing = terms - values.shape[-1]
    return tf.pad(values, [[0, 0], [0, missing]]) if missing else values


def _as_loss(task: Task, loss) -> keras.losses.Loss:
    if isinstance(loss, MissingObject):
        raise loss.error(f"task {task.name!r}")
    found = keras.losses.get(loss)
    _, arguments = wrapped_function(found) or (None, {})
    if arguments.get("ignore_class") is not None:
        raise ValueError(
            f"Task {task.name!r}: its loss {found.name!r} has ignore_class="
            f"{arguments['ignore_class']}, which would count in the "
            "denominator here. Leave it out, and write -1 where the label is "
            "missing or void."
        )
    if isinstance(found, keras.losses.Loss):
        return found
    return FunctionLoss(found)
