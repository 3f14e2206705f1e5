"""All values that the next training steps depend on."""

from __future__ import annotations

import math
from collections.abc import Mapping

import keras
import numpy as np
import tensorflow as tf

from mtl_keras.distribution.workers import of_all_workers, worker_index


def state_variables(model: keras.Model) -> dict[str, keras.Variable]:
    """Names the variables that are the same on all replicas.

    These are weights, states of random seeds, the optimizer's state, loss
    weights and the state of the weighting.

    Args:
        model: A compiled `MultiTaskModel`.

    Returns:
        Dict from name to variable. The names are the same in each process;
        Keras's own count the layers that were made before.
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
    """Assigns what `read_state` has read.

    Args:
        model: A compiled `MultiTaskModel` like the one it was read from.
        arrays: Arrays by name; others may be among them.
    """
    for name, variable in state_variables(model).items():
        variable.assign(arrays[name])


def describe_state(model: keras.Model) -> dict[str, str]:
    """Says of which form a model and its state are, for `differences`.

    Args:
        model: A compiled `MultiTaskModel`.
    """
    optimizer, weighting = model.optimizer, model.weighting
    found = {
        "tasks": ", ".join(sorted(task.name for task in model.tasks)),
        "optimizer": type(optimizer).__name__,
        "weighting": type(weighting).__name__ if weighting else "None",
    }
    for name, variable in state_variables(model).items():
        found[name] = f"{variable.dtype} of shape {tuple(variable.shape)}"
    return found


def differences(
    of_backup: Mapping[str, str], of_model: Mapping[str, str]
) -> list[str]:
    """Says in words where two descriptions differ.

    Args:
        of_backup: What `describe_state` said when the backup was made.
        of_model: What it says now.
    """
    return [
        f"{name}: {of_backup.get(name, 'nothing')} in the backup, "
        f"{of_model.get(name, 'nothing')} here"
        for name in {**of_model, **of_backup}
        if of_backup.get(name) != of_model.get(name)
    ]


def metric_variables(model: keras.Model) -> list[keras.Variable]:
    """The variables of all that Keras resets at the start of an epoch.

    Args:
        model: A compiled `MultiTaskModel`.
    """
    return [v for metric in model.metrics for v in metric.variables]


def read_metrics(model: keras.Model) -> np.ndarray:
    """Reads the metrics of the running epoch; all workers must call it.

    Args:
        model: A compiled `MultiTaskModel` that has trained.

    Returns:
        Float64 array with a row for each replica, of all workers.
    """
    variables = metric_variables(model)
    by_replica = zip(*(_parts(v) for v in variables), strict=True)
    rows = [
        np.concatenate([part.numpy().astype("float64").ravel() for part in row])
        for row in by_replica
    ]
    return of_all_workers(model.distribute_strategy, np.stack(rows))


def assign_metrics(model: keras.Model, rows: np.ndarray) -> None:
    """Assigns what `read_metrics` has read, to the same replicas.

    Where there is another number of replicas, the first one gets the sum.

    Args:
        model: A compiled `MultiTaskModel` whose metrics are built.
        rows: What `read_metrics` returned.
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
            f"The metrics of the backup hold {rows.shape[1]} numbers, those of "
            f"the model {sum(sizes)}. Compile the model with the metrics that "
            "it had, or remove the backup to train from the start."
        )
    for variable, size in zip(variables, sizes, strict=True):
        parts = _parts(variable)
        first = worker_index(strategy) * len(parts)
        for number, part in enumerate(parts, first):
            values = rows[number, begin : begin + size].reshape(variable.shape)
            part.assign(tf.cast(values, part.dtype))
        begin += size


def _parts(variable: keras.Variable) -> list[tf.Variable]:
    """What a variable is made of on the replicas of this process."""
    value = variable.value
    if isinstance(value, tf.distribute.DistributedValues):
        return list(value.values)
    return [value]
