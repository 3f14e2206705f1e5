"""What `compile` has made: the parts that steps are composed of."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any

import keras
import tensorflow as tf

from mtl_keras.training.gradients.skipped_steps import SkippedSteps
from mtl_keras.training.gradients.weighted_update import WeightedUpdate
from mtl_keras.training.logs import TrainingLogs
from mtl_keras.training.losses.task_groups import find_groups
from mtl_keras.training.losses.task_losses import TaskLosses
from mtl_keras.training.losses.task_metrics import make_task_metrics
from mtl_keras.weighting import Weighting


@dataclasses.dataclass(frozen=True)
class Compiled:
    """The parts of a compiled model.

    Args:
        optimizer: The optimizer.
        losses: The losses of the tasks.
        logs: What is logged.
        weighting: The weighting, or `None`.
        update: Makes one update of the task losses.
        skipped: Counts the steps that changed nothing.
        non_finite: `"stop"` or `"skip"` (see `MultiTaskModel.compile`).
    """

    optimizer: keras.optimizers.Optimizer
    losses: TaskLosses
    logs: TrainingLogs
    weighting: Weighting | None
    update: WeightedUpdate
    skipped: SkippedSteps
    non_finite: str

    @property
    def guards_steps(self) -> bool:
        """Whether a step is taken only if all of its numbers are finite."""
        return self.weighting is not None or self.non_finite == "skip"

    def build(self, model, data) -> None:
        """Makes the variables that wait for a batch: optimizer and metrics.

        Args:
            model: The model.
            data: A batch `(x, y)` or `(x, y, sample_weight)`, or the
                specification of one.
        """
        metrics = self.logs.task_metrics
        if self.optimizer.built and not metrics.needs_build:
            return
        with model.distribute_strategy.scope():
            self.update.build_optimizer()
            if metrics.needs_build:
                metrics.build_with(self._parts_of_zeros(model, data))

    def _parts_of_zeros(self, model, data) -> list:
        """Makes parts of a batch of one sample, of zeros."""
        _, y, _ = keras.utils.unpack_x_y_sample_weight(data)
        outputs = {
            name: tf.zeros((1, *(size or 1 for size in shape)))
            for name, shape in model.task_output_shapes.items()
        }

        def zeros(leaf):
            local = tf.nest.flatten(leaf, expand_composites=True)[0]
            shape = [size or 1 for size in tuple(local.shape)[1:]]
            return tf.zeros((1, *shape), local.dtype)

        targets = keras.tree.map_structure(zeros, y)
        return self.losses.parts(targets, outputs, complete=True)


def compile_parts(
    model,
    *,
    losses: Mapping[str, Any],
    metrics: Mapping[str, Any],
    weighted_metrics: Mapping[str, Any],
    weighting: Weighting | None,
    gradients: str,
    monitor: bool,
    non_finite: str,
    in_groups: bool,
) -> Compiled:
    """Makes the parts of a model, inside of the scope of its strategy.

    Args:
        model: The model, with an optimizer and loss weights.
        losses: The loss of each task; `None` for a task that has none.
        metrics: Dict from task name to metrics; tasks that are not named have
            their own.
        weighted_metrics: Dict from task name to metrics that sample weights
            weight.
        weighting: The weighting, or `None`.
        gradients: See `WeightedUpdate`.
        monitor: Whether to log what the Gramian says.
        non_finite: See `Compiled`.
        in_groups: Whether equal tasks are computed together.

    Raises:
        ValueError: If there is no Gramian to monitor.
    """
    if monitor and (weighting is None or weighting.requires == "losses"):
        raise ValueError(
            "monitor=True logs the Gramian of the task gradients, which "
            f"weighting={weighting!r} does not make. Choose one that does, "
            "such as 'pcgrad' (see mtl_keras.weighting.table())."
        )
    groups = ()
    if in_groups:
        groups = find_groups(
            model.tasks,
            model.task_output_shapes,
            losses,
            {*metrics, *weighted_metrics},
        )
    task_losses = TaskLosses(
        model.tasks, losses, model.loss_weights.variables_by_task, groups
    )
    names = task_losses.names
    update = WeightedUpdate(
        model,
        model.optimizer,
        weighting,
        names,
        gradients,
        guarded=weighting is not None or non_finite == "skip",
    )
    task_metrics = make_task_metrics(
        model.tasks, metrics, weighted_metrics, groups
    )
    weighed = None if weighting is None else names
    return Compiled(
        model.optimizer,
        task_losses,
        TrainingLogs(task_losses, task_metrics, weighed, monitor),
        weighting,
        update,
        SkippedSteps(names),
        non_finite,
    )
