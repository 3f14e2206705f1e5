"""The losses and metrics of a model, by task or by group of equal tasks."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

import keras

from mtl_keras.tasks.groups import make_metric
from mtl_keras.training.losses.group_metrics import computed_together
from mtl_keras.training.losses.task_groups import TaskGroup, find_groups
from mtl_keras.training.losses.task_losses import TaskLosses, TotalLoss
from mtl_keras.training.losses.task_metrics import TaskMetrics

# Who overrides one of these wants it to be called, as Keras's steps do.
_OF_KERAS_STEPS = ("train_step", "test_step", "compute_loss", "compute_metrics")


class LoggedByTask:
    """Mixin that makes what a model computes losses and metrics with.

    The class that takes it in is a `keras.Model` with `tasks`,
    `task_output_shapes` and `_keep_untracked`.
    """

    def find_groups(
        self, losses: Mapping[str, Any], own_metrics: Collection[str]
    ) -> tuple[TaskGroup, ...]:
        """Finds the tasks whose losses are computed together.

        Args:
            losses: The loss of each task.
            own_metrics: Names of the tasks that were given metrics.
        """
        overridden = any(
            getattr(type(self), name) is not getattr(keras.Model, name)
            for name in _OF_KERAS_STEPS
        )
        if overridden:
            return ()
        return find_groups(
            self.tasks, self.task_output_shapes, losses, own_metrics
        )

    def make_metrics(self, groups: Collection[TaskGroup]) -> tuple[list, dict]:
        """Makes the metrics of the tasks, with variables on all replicas.

        Args:
            groups: Groups of tasks.

        Returns:
            A list of metrics of groups, and a dict from task name to a list
            of those of the task alone.
        """
        of_groups, left = [], {}
        with self.distribute_strategy.scope():
            for group in groups:
                together = computed_together(group)
                of_groups.extend(together.values())
                names = [m for m in group.metrics if m not in together]
                if group.metrics:
                    left |= dict.fromkeys(group.names, names)
            of_tasks = {
                task.name: [make_metric(task, m) for m in left[task.name]]
                if task.name in left
                else task.make_metrics()
                for task in self.tasks
            }
        return of_groups, of_tasks

    def log_by_task(
        self,
        arguments: Mapping[str, Any],
        groups: Collection[TaskGroup],
        of_groups: list,
    ) -> None:
        """Replaces what Keras's `compile` made for losses and metrics.

        Args:
            arguments: Those of `keras.Model.compile`.
            groups: Groups of tasks.
            of_groups: Metrics of these.
        """
        losses = TaskLosses(
            arguments["loss"],
            arguments["loss_weights"],
            self.output_names,
            groups,
        )
        metrics = TaskMetrics(
            arguments["metrics"],
            arguments["weighted_metrics"],
            self.output_names,
            of_groups,
        )
        with self.distribute_strategy.scope():
            total = TotalLoss(losses)
        self._keep_untracked("_compile_loss", losses)
        self._keep_untracked("_compile_metrics", metrics)
        self._keep_untracked("_loss_tracker", total)

    def symbolic_outputs(self, batch_size: int | None) -> dict:
        """The outputs as Keras tensors, by task name.

        Args:
            batch_size: Number of samples, or `None`.
        """
        return {
            name: keras.KerasTensor((batch_size, *shape), "float32")
            for name, shape in self.task_output_shapes.items()
        }
