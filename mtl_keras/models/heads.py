"""Heads of a model: identical heads on one tensor are computed together."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence

import keras

from mtl_keras.layers import GroupedDense
from mtl_keras.tasks import Task, groups


def add_heads(features: Mapping[str, object], tasks: Sequence[Task]) -> dict:
    """Adds the head of each task to its features.

    One layer computes the heads of all tasks of the same kind that read one
    tensor, if there are at least `mtl_keras.tasks.groups.MIN_GROUP_SIZE`. Each
    output is still the output of a layer with the name of its task.

    Args:
        features: Dict from task name to the features that the task reads.
        tasks: List of tasks.

    Returns:
        Dict from task name to output tensor, in the order of the tasks.
    """
    names_by_kind = {}
    for task in tasks:
        kind = (groups.group_key(task), id(features[task.name]))
        names_by_kind.setdefault(kind, []).append(task.name)
    large_groups = [
        names
        for names in names_by_kind.values()
        if len(names) >= groups.MIN_GROUP_SIZE
    ]
    grouped = {name for names in large_groups for name in names}
    # In the order of the tasks, because layers draw their seeds in turn.
    layers, outputs = {}, {}
    for task in tasks:
        if task.name in grouped:
            layers[task.name] = groups.dense_head(task)
        else:
            outputs[task.name] = task.head(features[task.name])
    for names in large_groups:
        x = features[names[0]]
        dense = {name: layers[name] for name in names}
        if _can_group(dense.values(), x):
            outputs |= _grouped_outputs(dense, x)
            continue
        for task in tasks:
            if task.name in dense:
                outputs[task.name] = task.head(x)
    return {task.name: outputs[task.name] for task in tasks}


def _can_group(layers: Collection, features) -> bool:
    if len(features.shape) != 2 or None in layers:
        return False
    return len(set(map(_config_key, layers))) == 1


def _grouped_outputs(
    layers: Mapping[str, keras.layers.Dense], features
) -> dict:
    """Returns the outputs of one layer that replaces several dense layers."""
    first, *others = layers
    name = f"{first}_and_{len(others)}_more"
    outputs = GroupedDense.from_layers(list(layers.values()), name=name)(
        features
    )
    dtype = layers[first].dtype_policy.name
    return {
        task: keras.layers.Identity(dtype=dtype, name=task)(output)
        for task, output in zip(layers, outputs, strict=True)
    }


def _config_key(layer: keras.layers.Dense) -> str:
    """Returns the configuration that layers of one group have in common."""
    config = layer.get_config()
    del config["name"]
    for initializer in ("kernel_initializer", "bias_initializer"):
        config[initializer]["config"].pop("seed", None)
    return json.dumps(config, sort_keys=True, default=str)
