"""Groups of equal tasks, whose losses and metrics are computed together."""

from __future__ import annotations

import json
from collections.abc import Collection, Hashable, Mapping, Sequence
from typing import Any, NamedTuple

import keras

from mtl_keras.losses.per_sample import is_per_sample
from mtl_keras.tasks import Task, groups


class TaskGroup(NamedTuple):
    """Tasks of one kind, with one form of output, one loss and equal metrics.

    Args:
        names: Names of the tasks.
        task: One of them, which stands for all.
        metrics: Names of the metrics that all have, or an empty tuple where
            metrics are not computed together.
    """

    names: tuple[str, ...]
    task: Task
    metrics: tuple[str, ...]


def find_groups(
    tasks: Sequence[Task],
    output_shapes: Mapping[str, tuple],
    losses: Mapping[str, Any],
    own_metrics: Collection[str],
) -> tuple[TaskGroup, ...]:
    """Finds the groups of `mtl_keras.tasks.groups.LEAST_TASKS` tasks or more.

    Args:
        tasks: The tasks of a model.
        output_shapes: Shape of each task's output without the batch axis.
        losses: The loss of each task; `None` for a task that has none.
        own_metrics: Names of the tasks that were given metrics in `compile`.
    """
    alike = {}
    for task in tasks:
        shape, loss = output_shapes[task.name], losses[task.name]
        if len(shape) != 1 or not is_per_sample(loss):
            continue
        metrics = _names_of_metrics(task, own_metrics)
        key = (groups.kind_of(task), shape, _config_of(loss), metrics)
        alike.setdefault(key, []).append(task)
    return tuple(
        TaskGroup(tuple(task.name for task in of_group), of_group[0], key[-1])
        for key, of_group in alike.items()
        if len(of_group) >= groups.LEAST_TASKS
    )


def _names_of_metrics(task: Task, own_metrics: Collection[str]) -> tuple:
    named = all(isinstance(metric, str) for metric in task.metrics)
    return task.metrics if named and task.name not in own_metrics else ()


def _config_of(loss) -> Hashable:
    if not isinstance(loss, keras.losses.Loss):
        return loss  # a function
    config = keras.saving.serialize_keras_object(loss)
    return json.dumps(config, sort_keys=True, default=str)
