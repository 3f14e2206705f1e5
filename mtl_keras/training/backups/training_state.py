"""The state that the next training steps depend on."""

from __future__ import annotations

import math
from collections.abc import Mapping

import keras
import numpy as np
import tensorflow as tf

from mtl_keras.distribution import of_all_workers, worker_index


def state_variables(model: keras.Model) -> dict[str, keras.Variable]:
    """Returns the variables that are equal on all replicas.

    These are weights, states of random seeds, the optimizer's state, loss
    weights and the state of the weighting.

    Args:
        model: A compiled `MultiTaskModel`.

    Returns:
        Dict from name to variable. The names are equal in each process, unlike
        Keras's names, which count all layers of the process.
    """
    model.build_optimizer()
    weighting = model.weighting
    groups = {
        "model": model.variables,
        "optimizer": model.optimizer.variables,
        "loss_weights": list(model.loss_weights.variables_by_task.values()),
        "weighting": [] if weighting is None else weighting.variables,
    }
    return {
        f"{group}/{index}": variable
        for group, variables in groups.items()
        for index, variable in enumerate(variables)
    }


def read_state(model: keras.Model) -> dict[str, np.ndarray]:
    """Reads the variables of `state_variables`.

    Args:
        model: A compiled `MultiTaskModel`.
    """
    return {
        name: keras.ops.convert_to_numpy(variable.value)
        for name, variable in state_variables(model).items()
    }


def assign_state(model: keras.Model, arrays: Mapping[str, np.ndarray]) -> None:
    """Assigns the variables of `state_variables`.

    Args:
        model: A compiled `MultiTaskModel` with the same state variables.
        arrays: Dict from name to array; other entries are ignored.
    """
    for name, variable in state_variables(model).items():
        variable.assign(arrays[name])


def describe_state(model: keras.Model) -> dict[str, str]:
    """Describes a model and its state variables, for `compare_states`.

    Args:
        model: A compiled `MultiTaskModel`.

    Returns:
        Dict from name to description.
    """
    optimizer, weighting = model.optimizer, model.weighting
    description = {
        "tasks": ", ".join(sorted(task.name for task in model.tasks)),
        "optimizer": type(optimizer).__name__,
        "weighting": type(weighting).__name__ if weighting else "None",
    }
    for name, variable in state_variables(model).items():
        shape = tuple(variable.shape)
        description[name] = f"{variable.dtype} of shape {shape}"
    return description


def compare_states(
    backup: Mapping[str, str], model: Mapping[str, str]
) -> list[str]:
    """Describes the differences between two descriptions.

    Args:
        backup: The result of `describe_state` in the backup.
        model: The result of `describe_state` for the model.

    Returns:
        A list of sentences, empty if the descriptions are equal.
    """
    return [
        f"{name}: {backup.get(name, 'nothing')} in the backup, "
        f"{model.get(name, 'nothing')} here"
        for name in {**model, **backup}
        if backup.get(name) != model.get(name)
    ]


def metric_variables(model: keras.Model) -> list[keras.Variable]:
    """Returns the metric variables, which Keras resets in each epoch.

    Args:
        model: A compiled `MultiTaskModel`.
    """
    return [v for metric in model.metrics for v in metric.variables]


def read_metrics(model: keras.Model) -> np.ndarray:
    """Reads the metrics of the current epoch; all workers must call it.

    Args:
        model: A compiled `MultiTaskModel` that has trained.

    Returns:
        Float64 array with one row per replica of all workers.
    """
    variables = metric_variables(model)
    by_replica = zip(*(_local_variables(v) for v in variables), strict=True)
    rows = [
        np.concatenate([part.numpy().astype("float64").ravel() for part in row])
        for row in by_replica
    ]
    return of_all_workers(model.distribute_strategy, np.stack(rows))


def assign_metrics(model: keras.Model, rows: np.ndarray) -> None:
    """Assigns the metrics of the current epoch to the same replicas.

    If the number of replicas differs, the first replica receives the sum.

    Args:
        model: A compiled `MultiTaskModel` whose metrics are built.
        rows: The result of `read_metrics`.

    Raises:
        ValueError: If the metrics differ.
    """
    strategy = model.distribute_strategy
    if len(rows) != strategy.num_replicas_in_sync:
        total = np.zeros((strategy.num_replicas_in_sync, rows.shape[1]))
        total[0] = rows.sum(axis=0)
        rows = total
    begin, variables = 0, metric_variables(model)
    sizes = [math.prod(variable.shape) for variable in variables]
    if sum(sizes) != rows.shape[1]:
        raise ValueError(
            f"The metrics of the backup have {rows.shape[1]} values, and those "
            f"of the model {sum(sizes)}. Compile the model with the same "
            "metrics, or remove the backup to train from the start."
        )
    for variable, size in zip(variables, sizes, strict=True):
        local = _local_variables(variable)
        first = worker_index(strategy) * len(local)
        for replica, part in enumerate(local, first):
            values = rows[replica, begin : begin + size].reshape(variable.shape)
            part.assign(tf.cast(values, part.dtype))
        begin += size


def _local_variables(variable: keras.Variable) -> list[tf.Variable]:
    """Returns the variables on the replicas of this process."""
    value = variable.value
    if isinstance(value, tf.distribute.DistributedValues):
        return list(value.values)
    return [value]
