"""What a training or evaluation logs."""

from __future__ import annotations

from collections.abc import Sequence

import keras

from mtl_keras.training.gradients.gramian_monitor import GramianMonitor
from mtl_keras.training.gradients.weight_log import WeightLog
from mtl_keras.training.losses.batch_parts import BatchPart
from mtl_keras.training.losses.epoch_losses import (
    EpochTaskLosses,
    LogName,
    TotalLoss,
)
from mtl_keras.training.losses.loss_terms import LossTerms
from mtl_keras.training.losses.task_losses import BatchLosses, TaskLosses
from mtl_keras.training.losses.task_metrics import TaskMetrics


class TrainingLogs:
    """Holds the losses, metrics and task weights that are logged.

    Made inside the scope of the strategy under which the model trains.

    Args:
        losses: The losses of the tasks.
        metrics: The metrics of the tasks.
        weighting_names: Names of the tasks that a weighting weighs, or `None`
            without weighting.
        monitor: Whether to log what the Gramian says.
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
        metrics.split_by(losses.parts)
        self.total = TotalLoss(losses.names, losses.num_terms)
        self._of_tasks = EpochTaskLosses(losses.names, self.total)
        self._names = [LogName(f"{name}_loss") for name in losses.names]
        self._terms = LossTerms(
            losses,
            self.total,
            {*(log.name for log in self._names), *metrics.names()},
        )
        if self._terms.positions:
            self._names += [self._terms, *map(LogName, self._terms.positions)]
        # Steps of a subclass may make none, in training or in evaluation.
        self.has_task_losses = {True: True, False: True}
        self._weights = self._monitor = None
        if weighting_names is not None:
            self._weights = WeightLog(weighting_names)
            self._monitor = GramianMonitor(weighting_names) if monitor else None

    def metrics(self, trains: bool) -> list[keras.metrics.Metric]:
        """Lists the metrics that `fit` or `evaluate` reads and resets.

        Args:
            trains: Whether to include what only training logs.
        """
        found = [self.total, self.task_metrics]
        if self.has_task_losses[trains]:
            found += [self._of_tasks, *self._names]
        if trains and self._weights is not None:
            found.append(self._weights)
            found += [] if self._monitor is None else self._monitor.metrics
        return found

    def directions(self) -> dict[str, str]:
        """Returns a dict from what is logged to `"min"` or `"max"`.

        Metrics of one's own, whose direction nobody knows, are left out.
        """
        names = [f"{name}_loss" for name in self._losses.names]
        names += self._terms.positions
        found = dict.fromkeys(["loss", *names], "min")
        return found | self.task_metrics.directions()

    def record_losses(self, batch: BatchLosses, added, *, trains: bool) -> None:
        """Adds the losses of a batch.

        Args:
            batch: The losses of the batch.
            added: Sum of what layers added, a scalar.
            trains: Whether the model trains.
        """
        if batch.added is not None:
            added = added + batch.added
        self.has_task_losses[trains] = bool(batch.sums)
        if not batch.sums:  # of a `compute_loss` that makes no task losses
            self.total.update_state(added, batch.rows)
            return
        losses = self._losses
        sums = losses.stacked(batch.sums)
        self.total.add(sums, losses.weights(), added, batch.rows)

    def record_task_losses(self, batch: BatchLosses) -> None:
        """Adds the losses of a batch to those of the tasks alone.

        Args:
            batch: The losses of the batch.
        """
        self.total.add_task_losses(self._losses.stacked(batch.sums))

    def record_metrics(self, parts: Sequence[BatchPart]) -> None:
        """Adds a batch to the metrics of the tasks.

        Args:
            parts: The parts of the batch.
        """
        self.task_metrics.update(parts)

    def record_weights(self, weights, gramian) -> None:
        """Adds what a weighting made of a step.

        Args:
            weights: The weight of each task, of shape `(tasks,)`.
            gramian: Inner products of the task gradients, or `None`.
        """
        self._weights.update_state(weights)
        if self._monitor is not None:
            self._monitor.update(gramian)
