"""The logs of training and evaluation."""

from __future__ import annotations

from collections.abc import Sequence

import keras

from mtl_keras.training.gradients.gramian_monitor import GramianMonitor
from mtl_keras.training.gradients.weight_log import WeightLog
from mtl_keras.training.losses.epoch_losses import (
    EpochTaskLosses,
    LogPlaceholder,
    TotalLoss,
)
from mtl_keras.training.losses.loss_terms import LossTerms
from mtl_keras.training.losses.task_group_batch import TaskGroupBatch
from mtl_keras.training.losses.task_losses import BatchLosses, TaskLosses
from mtl_keras.training.losses.task_metrics import TaskMetrics


class TrainingLogs:
    """Records the losses, metrics and task weights of an epoch.

    Create it inside the scope of the model's strategy.

    Args:
        losses: Computes the task losses.
        metrics: The task metrics.
        weighting_names: Names of the tasks that the weighting weights, or
            `None` without weighting.
        monitor: Whether to log statistics of the Gramian.
    """

    def __init__(
        self,
        losses: TaskLosses,
        metrics: TaskMetrics,
        weighting_names: Sequence[str] | None,
        monitor: bool = False,
    ):
        self._losses = losses
        self.task_metrics = metrics
        metrics.set_batch_splitter(losses.split_batch)
        self.total = TotalLoss(losses.names, losses.num_terms)
        self._task_losses = EpochTaskLosses(losses.names, self.total)
        self._placeholders = [
            LogPlaceholder(f"{name}_loss") for name in losses.names
        ]
        self._terms = LossTerms(
            losses,
            self.total,
            {*(log.name for log in self._placeholders), *metrics.names()},
        )
        if self._terms.positions:
            self._placeholders.append(self._terms)
            self._placeholders += map(LogPlaceholder, self._terms.positions)
        # By `training`: steps of a subclass may compute no task losses.
        self.has_task_losses = {True: True, False: True}
        self._weights = self._monitor = None
        if weighting_names is not None:
            self._weights = WeightLog(weighting_names)
            self._monitor = GramianMonitor(weighting_names) if monitor else None

    def metrics(self, training: bool) -> list[keras.metrics.Metric]:
        """Lists the metrics that `fit` or `evaluate` reads and resets.

        Args:
            training: Whether to include metrics that only training logs.
        """
        metrics = [self.total, self.task_metrics]
        if self.has_task_losses[training]:
            metrics += [self._task_losses, *self._placeholders]
        if training and self._weights is not None:
            metrics.append(self._weights)
            metrics += [] if self._monitor is None else self._monitor.metrics
        return metrics

    def directions(self) -> dict[str, str]:
        """Returns a dict from log name to `"min"` or `"max"`.

        Custom metrics with an unknown direction are omitted.
        """
        names = [f"{name}_loss" for name in self._losses.names]
        names += self._terms.positions
        directions = dict.fromkeys(["loss", *names], "min")
        return directions | self.task_metrics.directions()

    def record_losses(
        self, batch: BatchLosses, added, *, training: bool
    ) -> None:
        """Records the losses of a batch.

        Args:
            batch: The losses of the batch.
            added: Sum of the losses that layers added, a scalar.
            training: Whether the model is training.
        """
        if batch.added is not None:
            added = added + batch.added
        self.has_task_losses[training] = bool(batch.sums)
        if not batch.sums:  # a `compute_loss` without task losses
            self.total.update_state(added, batch.num_samples)
            return
        losses = self._losses
        sums = losses.stack_sums(batch.sums)
        self.total.add(
            sums, losses.stack_loss_weights(), added, batch.num_samples
        )

    def record_task_losses(self, batch: BatchLosses) -> None:
        """Records the task losses of a batch, but not the total loss.

        Args:
            batch: The losses of the batch.
        """
        self.total.add_task_losses(self._losses.stack_sums(batch.sums))

    def record_metrics(self, group_batches: Sequence[TaskGroupBatch]) -> None:
        """Updates the task metrics with a batch.

        Args:
            group_batches: The batch, split by task.
        """
        self.task_metrics.update(group_batches)

    def record_weights(self, weights, gramian) -> None:
        """Records the task weights and the Gramian of a step.

        Args:
            weights: Float32 tensor of shape `(tasks,)`, the task weights.
            gramian: Float32 tensor of shape `(tasks, tasks)`, the inner
                products of the task gradients, or `None`.
        """
        self._weights.update_state(weights)
        if self._monitor is not None:
            self._monitor.update(gramian)
