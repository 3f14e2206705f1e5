"""The workers of a training run, and the values that they exchange."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import keras
import numpy as np
import tensorflow as tf

from mtl_keras.keras_compat import in_multi_worker_mode


def has_several_workers(strategy: tf.distribute.Strategy) -> bool:
    """Checks whether a strategy spans several processes.

    Args:
        strategy: The strategy.
    """
    return in_multi_worker_mode(strategy)


def is_chief(strategy: tf.distribute.Strategy | None = None) -> bool:
    """Checks whether this process is the worker that writes files.

    Args:
        strategy: The strategy. Defaults to the current one.

    Returns:
        `True` for the first of several workers, and for a single process.

    Example:

    >>> mtl_keras.distribution.is_chief()
    True
    """
    strategy = strategy or tf.distribute.get_strategy()
    return not has_several_workers(strategy) or bool(
        strategy.extended.should_checkpoint
    )


def worker_index(strategy: tf.distribute.Strategy) -> int:
    """Returns the index of this worker; the chief has 0.

    Args:
        strategy: The strategy.
    """
    if not has_several_workers(strategy):
        return 0
    resolver = strategy.cluster_resolver
    jobs = resolver.cluster_spec().jobs
    before = "chief" in jobs and resolver.task_type != "chief"
    return resolver.task_id + before


# All workers must call each of the functions below.


def sum_over_workers(
    strategy: tf.distribute.Strategy, array: np.ndarray
) -> np.ndarray:
    """Sums an array over all workers.

    Args:
        strategy: The strategy.
        array: Array of numbers, with the same shape on each worker.

    Returns:
        The sum as a float64 array, the same on all workers.
    """
    local = _num_local_replicas(strategy)
    if local not in _sums:
        _sums[local] = _create_sum(local)
    flat = tf.constant(array.ravel(), tf.float64)
    sums = strategy.run(_sums[local], args=(flat,))
    result = strategy.experimental_local_results(sums)[0]
    return result.numpy().reshape(array.shape)


def gather_from_workers(
    strategy: tf.distribute.Strategy, rows: np.ndarray
) -> np.ndarray:
    """Concatenates the rows of all workers.

    Args:
        strategy: The strategy.
        rows: Float64 array with a row for each replica of this worker.

    Returns:
        The rows of all workers in the order of the workers, the same on all.
    """
    if not has_several_workers(strategy):
        return rows
    workers = strategy.num_replicas_in_sync // len(rows)
    own = np.zeros((workers, *rows.shape))
    own[worker_index(strategy)] = rows
    return sum_over_workers(strategy, own).reshape(-1, *rows.shape[1:])


def broadcast_from_chief(
    strategy: tf.distribute.Strategy, arrays: Sequence[np.ndarray]
) -> list[np.ndarray]:
    """Sends arrays from the chief to all workers.

    Args:
        strategy: The strategy.
        arrays: Arrays of numbers, with the same shapes on each worker. Only
            the chief's are sent. Integers are exact up to 2^53.

    Returns:
        The arrays of the chief, in the dtypes of this worker's arrays.
    """
    arrays = [np.asarray(array) for array in arrays]
    if not has_several_workers(strategy) or not arrays:
        return list(arrays)
    flat = np.concatenate([a.astype("float64").ravel() for a in arrays])
    own = flat if is_chief(strategy) else np.zeros_like(flat)
    received = sum_over_workers(strategy, own)
    ends = np.cumsum([array.size for array in arrays])[:-1]
    return [
        part.reshape(array.shape).astype(array.dtype)
        for part, array in zip(np.split(received, ends), arrays, strict=True)
    ]


def broadcast_text(strategy: tf.distribute.Strategy, text: str) -> str:
    """Sends a string from the chief to all workers.

    Args:
        strategy: The strategy.
        text: The string. Only the chief's is sent.

    Returns:
        The string of the chief.
    """
    if not has_several_workers(strategy):
        return text
    own = np.frombuffer(text.encode(), np.uint8)
    (size,) = broadcast_from_chief(strategy, [np.asarray(own.size)])
    if not is_chief(strategy):
        own = np.zeros(int(size), np.uint8)
    (received,) = broadcast_from_chief(strategy, [own])
    return received.tobytes().decode()


def synchronize(
    strategy: tf.distribute.Strategy, variables: Sequence[keras.Variable]
) -> None:
    """Assigns the chief's values of variables on all workers.

    Args:
        strategy: The strategy that the variables belong to.
        variables: The same variables on each worker.
    """
    if not has_several_workers(strategy):
        return
    values = [keras.ops.convert_to_numpy(v.value) for v in variables]
    for variable, value in zip(
        variables, broadcast_from_chief(strategy, values), strict=True
    ):
        variable.assign(value)


def run_on_chief(
    strategy: tf.distribute.Strategy, function: Callable[[], int]
) -> int:
    """Runs a function on the chief only, and returns its result on all.

    Args:
        strategy: The strategy.
        function: Function without arguments, which returns an integer.

    Returns:
        The integer that the function returned on the chief.

    Raises:
        RuntimeError: On the other workers, if the function failed.
    """
    error, result = None, 0
    if is_chief(strategy):
        try:
            result = int(function())
        except Exception as caught:
            error = caught
    failed, result = broadcast_from_chief(
        strategy, [np.asarray(error is not None), np.asarray(result)]
    )
    if error is not None:
        raise error
    if failed:
        raise RuntimeError(
            "The chief stopped before training; see its error message."
        )
    return int(result)


def check_agreement(
    strategy: tf.distribute.Strategy,
    numbers: Mapping[str, int],
    way_out: str = "Give each worker the same data, whole, and the same "
    "arguments; each then takes its part of every batch.",
) -> None:
    """Raises the same error on all workers if their numbers differ.

    A worker with more steps than the others would wait for them forever.

    Args:
        strategy: The strategy.
        numbers: Dict from the name of a number, for the message, to its value.
        way_out: Last sentence of the error message.

    Raises:
        ValueError: If a number is not the same on all workers.
    """
    if not has_several_workers(strategy):
        return
    workers = strategy.num_replicas_in_sync // _num_local_replicas(strategy)
    rows = np.zeros((workers, len(numbers)))
    rows[worker_index(strategy)] = list(numbers.values())
    found = sum_over_workers(strategy, rows).astype("int64")
    for name, column in zip(numbers, found.T, strict=True):
        if len(set(column.tolist())) > 1:
            raise ValueError(
                f"The workers do not have the same {name}: found "
                f"{column.tolist()}, by worker. {way_out}"
            )


# By the number of replicas of a worker; kept, so that each is traced once.
_sums: dict[int, Callable] = {}


def _create_sum(local: int) -> Callable:
    @tf.function(reduce_retracing=True)
    def sum_first_replicas(own):
        replica = tf.distribute.get_replica_context()
        # Only the first replica of a worker contributes its values.
        is_first = tf.equal(replica.replica_id_in_sync_group % local, 0)
        own = tf.where(is_first, own, tf.zeros_like(own))
        return replica.all_reduce(tf.distribute.ReduceOp.SUM, own)

    return sum_first_replicas


def _num_local_replicas(strategy) -> int:
    return len(strategy.extended.worker_devices)
