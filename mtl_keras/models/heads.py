"""The heads of a model: equal ones on one tensor are computed together."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence

import keras

from mtl_keras.layers import GroupedDense
from mtl_keras.tasks import Task, groups


def put_heads(features: Mapping[str, object], tasks: Sequence[Task]) -> dict:
    """Makes the output of each task from its features.

    From `mtl_keras.tasks.groups.LEAST_TASKS` tasks on whose heads are alike
    and read one tensor, one layer computes all of them. Each output still
    comes out of a layer that has the name of its task.

    Args:
        features: The features that each task reads, by its name.
        tasks: The tasks.

    Returns:
        Dict from task name to output, in the order of the tasks.
    """
    alike = {}
    for task in tasks:
        alike.setdefault(_reads(task, features[task.name]), []).append(task)
    outputs = {}
    for of_group in alike.values():
        read = features[of_group[0].name]
        outputs |= (
            _together(of_group, read)
            if len(of_group) >= groups.LEAST_TASKS
            else _one_by_one(of_group, read)
        )
    return {task.name: outputs[task.name] for task in tasks}


def _reads(task: Task, features) -> tuple:
    return groups.kind_of(task), id(features)


def _one_by_one(tasks: Sequence[Task], features) -> dict:
    return {task.name: task.head(features) for task in tasks}


def _together(tasks: Sequence[Task], features) -> dict:
    layers = [groups.dense_head(task) for task in tasks]
    wrong_rank = len(features.shape) != 2  # each head says so itself
    if wrong_rank or None in layers or len(set(map(_form, layers))) > 1:
        return _one_by_one(tasks, features)
    name = f"{tasks[0].name}_and_{len(tasks) - 1}_more"
    outputs = GroupedDense.of(layers, name=name)(features)
    return {
        task.name: keras.layers.Identity(
            dtype=layer.dtype_policy.name, name=task.name
        )(output)
        for task, layer, output in zip(tasks, layers, outputs, strict=True)
    }


def _form(layer: keras.layers.Dense) -> str:
    """What dense layers that can be computed together have in common."""
    config = layer.get_config()
    del config["name"]
    for initializer in ("kernel_initializer", "bias_initializer"):
        config[initializer]["config"].pop("seed", None)
    return json.dumps(config, sort_keys=True, default=str)
