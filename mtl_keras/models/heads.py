"""The heads of a model: equal ones on one tensor are computed together."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence

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
        kind = (groups.kind_of(task), id(features[task.name]))
        alike.setdefault(kind, []).append(task.name)
    large = [of for of in alike.values() if len(of) >= groups.LEAST_TASKS]
    waiting = {name for of_group in large for name in of_group}
    # In the order of the tasks, as seeds are drawn that no user has set.
    layers, outputs = {}, {}
    for task in tasks:
        if task.name in waiting:
            layers[task.name] = groups.dense_head(task)
        else:
            outputs[task.name] = task.head(features[task.name])
    for of_group in large:
        read = features[of_group[0]]
        dense = {name: layers[name] for name in of_group}
        if _can_be_one(dense.values(), read):
            outputs |= _as_one(dense, read)
            continue
        for task in tasks:
            if task.name in dense:
                outputs[task.name] = task.head(read)
    return {task.name: outputs[task.name] for task in tasks}


def _can_be_one(layers: Collection, features) -> bool:
    if len(features.shape) != 2 or None in layers:
        return False
    return len(set(map(_form, layers))) == 1


def _as_one(layers: Mapping[str, keras.layers.Dense], features) -> dict:
    """Outputs of one layer that stands for several, each in its own name."""
    first, *others = layers
    name = f"{first}_and_{len(others)}_more"
    outputs = GroupedDense.of(list(layers.values()), name=name)(features)
    dtype = layers[first].dtype_policy.name
    return {
        task: keras.layers.Identity(dtype=dtype, name=task)(output)
        for task, output in zip(layers, outputs, strict=True)
    }


def _form(layer: keras.layers.Dense) -> str:
    """What dense layers that can be computed together have in common."""
    config = layer.get_config()
    del config["name"]
    for initializer in ("kernel_initializer", "bias_initializer"):
        config[initializer]["config"].pop("seed", None)
    return json.dumps(config, sort_keys=True, default=str)
