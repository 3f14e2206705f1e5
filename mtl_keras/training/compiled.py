"""The objects that `compile` creates and that training steps use."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any

import keras
import tensorflow as tf

from mtl_keras.training.gradients.skipped_steps import SkippedSteps
from mtl_keras.training.gradients.weighted_update import WeightedUpdate
from mtl_keras.training.logs import TrainingLogs
from mtl_keras.training.losses.task_groups import find_task_groups
from mtl_keras.training.losses.task_losses import TaskLosses
from mtl_keras.training.losses.task_metrics import make_task_metrics
from mtl_keras.weighting import Weighting


@dataclasses.dataclass(frozen=True)
class Compiled:
    """The objects of a compiled model.

    Args:
        optimizer: The optimizer.
        losses: Computes the task losses.
        logs: Records losses, metrics and task weights.
        weighting: The weighting, or `None`.
        update: Computes one update from the task losses.
        skipped: Counts the skipped steps.
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
    def checks_finite_updates(self) -> bool:
        """Returns whether an update is applied only if it is finite."""
        return self.weighting is not None or self.non_finite == "skip"

    def build(self, model, data) -> None:
        """Creates the variables of the optimizer and the metrics.

        Args:
            model: The model.
            data: A batch `(x, y)` or `(x, y, sample_weight)`, or its
                `element_spec`.
        """
        metrics = self.logs.task_metrics
        if self.optimizer.built and not metrics.needs_build:
            return
        with model.distribute_strategy.scope():
            self.update.build_optimizer()
            if metrics.needs_build:
                metrics.build_variables(self._make_zero_batch(model, data))

    def _make_zero_batch(self, model, data) -> list:
        """Creates a batch of one sample that holds zeros, split by task."""
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
        return self.losses.split_batch(targets, outputs, complete=True)


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
    group_tasks: bool,
) -> Compiled:
    """Creates the objects of a compiled model.

    The caller enters the scope of the model's strategy first.

    Args:
        model: The model, with an optimizer and loss weights.
        losses: Dict from task name to loss; `None` for a task without loss.
        metrics: Dict from task name to metrics. Tasks that are not named keep
            their default metrics.
        weighted_metrics: Dict from task name to metrics that receive sample
            weights.
        weighting: The weighting, or `None`.
        gradients: See `WeightedUpdate`.
        monitor: Whether to log statistics of the Gramian.
        non_finite: See `Compiled`.
        group_tasks: Whether to compute equal tasks together.

    Raises:
        ValueError: If `monitor` is `True` and the weighting has no Gramian.
    """
    if monitor and (weighting is None or weighting.requires == "losses"):
        raise ValueError(
            "monitor=True logs the Gramian of the task gradients, which "
            f"weighting={weighting!r} does not compute. Choose a weighting "
            "that does, such as 'pcgrad' (see mtl_keras.weighting.table())."
        )
    groups = ()
    if group_tasks:
        groups = find_task_groups(
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
        check_finite=weighting is not None or non_finite == "skip",
    )
    task_metrics = make_task_metrics(
        model.tasks, metrics, weighted_metrics, groups
    )
    weighted_names = None if weighting is None else names
    return Compiled(
        model.optimizer,
        task_losses,
        TrainingLogs(task_losses, task_metrics, weighted_names, monitor),
        weighting,
        update,
        SkippedSteps(names),
        non_finite,
    )
