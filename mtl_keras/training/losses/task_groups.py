"""Groups of equal tasks that compute losses and metrics together."""

from __future__ import annotations

import json
from collections.abc import Collection, Hashable, Mapping, Sequence
from typing import Any, NamedTuple

import keras

from mtl_keras.losses.per_sample import is_per_sample
from mtl_keras.tasks import Task, groups


class TaskGroup(NamedTuple):
    """Tasks with the same kind, output shape, loss and metrics.

    Args:
        names: Names of the tasks.
        task: One of the tasks, which represents all.
        metrics: Names of the common metrics, or an empty tuple if the metrics
            are not computed together.
    """

    names: tuple[str, ...]
    task: Task
    metrics: tuple[str, ...]


def find_task_groups(
    tasks: Sequence[Task],
    output_shapes: Mapping[str, tuple],
    losses: Mapping[str, Any],
    custom_metrics: Collection[str],
) -> tuple[TaskGroup, ...]:
    """Finds groups of `mtl_keras.tasks.groups.MIN_GROUP_SIZE` tasks or more.

    Args:
        tasks: The tasks of a model.
        output_shapes: Dict from task name to output shape, without the batch
            axis.
        losses: Dict from task name to loss; `None` for a task without loss.
        custom_metrics: Names of the tasks with metrics from `compile`.
    """
    by_key = {}
    for task in tasks:
        shape, loss = output_shapes[task.name], losses[task.name]
        if len(shape) != 1 or not is_per_sample(loss):
            continue
        metrics = _shared_metric_names(task, custom_metrics)
        key = (groups.group_key(task), shape, _loss_key(loss), metrics)
        by_key.setdefault(key, []).append(task)
    return tuple(
        TaskGroup(tuple(task.name for task in equal), equal[0], key[-1])
        for key, equal in by_key.items()
        if len(equal) >= groups.MIN_GROUP_SIZE
    )


def _shared_metric_names(task: Task, custom_metrics: Collection[str]) -> tuple:
    named = all(isinstance(metric, str) for metric in task.metrics)
    return task.metrics if named and task.name not in custom_metrics else ()


def _loss_key(loss) -> Hashable:
    if not isinstance(loss, keras.losses.Loss):
        return loss  # a function
    config = keras.saving.serialize_keras_object(loss)
    return json.dumps(config, sort_keys=True, default=str)
