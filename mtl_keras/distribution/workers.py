"""The processes of a training on several hosts."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import keras
import numpy as np
import tensorflow as tf

from mtl_keras.keras_compat import in_multi_worker_mode


def has_several_workers(strategy: tf.distribute.Strategy) -> bool:
    """Whether a strategy spreads over several processes.

    Args:
        strategy: The strategy.
    """
    return in_multi_worker_mode(strategy)


def is_chief(strategy: tf.distribute.Strategy | None = None) -> bool:
    """Whether this process is the one that writes files.

    Args:
        strategy: The strategy. Defaults to the one whose scope it is in.

    Returns:
        `True` for the first of several workers, and where there is one.

    Example:

    >>> mtl_keras.distribution.is_chief()
    True
    """
    strategy = strategy or tf.distribute.get_strategy()
    return not has_several_workers(strategy) or bool(
        strategy.extended.should_checkpoint
    )


def worker_index(strategy: tf.distribute.Strategy) -> int:
    """Number of this process among the workers, the chief's being 0.

    Args:
        strategy: The strategy.
    """
    if not has_several_workers(strategy):
        return 0
    resolver = strategy.cluster_resolver
    jobs = resolver.cluster_spec().jobs
    before = "chief" in jobs and resolver.task_type != "chief"
    return resolver.task_id + before


def from_chief(
    strategy: tf.distribute.Strategy, arrays: Sequence[np.ndarray]
) -> list[np.ndarray]:
    """Gives all workers the arrays that the chief has.

    All workers must call it, with arrays of the same shapes.

    Args:
        strategy: The strategy.
        arrays: Arrays of numbers; those of the other workers are ignored.
            Integers are exact up to 2^53.

    Returns:
        The arrays, in the dtypes of this worker.
    """
    arrays = [np.asarray(array) for array in arrays]
    if not has_several_workers(strategy) or not arrays:
        return list(arrays)
    flat = np.concatenate([a.astype("float64").ravel() for a in arrays])
    own = flat if is_chief(strategy) else np.zeros_like(flat)
    received = sum_of_workers(strategy, own)
    ends = np.cumsum([array.size for array in arrays])[:-1]
    return [
        part.reshape(array.shape).astype(array.dtype)
        for part, array in zip(np.split(received, ends), arrays, strict=True)
    ]


def synchronize(
    strategy: tf.distribute.Strategy, variables: Sequence[keras.Variable]
) -> None:
    """Gives variables the values that they have on the chief.

    Args:
        strategy: The strategy that the variables belong to.
        variables: The same variables on each worker, which all call it.
    """
    if not has_several_workers(strategy):
        return
    values = [keras.ops.convert_to_numpy(v.value) for v in variables]
    for variable, value in zip(
        variables, from_chief(strategy, values), strict=True
    ):
        variable.assign(value)


def run_on_chief(
    strategy: tf.distribute.Strategy, function: Callable[[], int]
) -> int:
    """Runs a function on the chief alone, and tells all workers its result.

    Args:
        strategy: The strategy. All workers must call this.
        function: Called without arguments, on the chief.

    Returns:
        The integer that the function returned.

    Raises:
        RuntimeError: On the other workers, if the function failed.
    """
    error, result = None, 0
    if is_chief(strategy):
        try:
            result = int(function())
        except Exception as caught:
            error = caught
    failed, result = from_chief(
        strategy, [np.asarray(error is not None), np.asarray(result)]
    )
    if error is not None:
        raise error
    if failed:
        raise RuntimeError(
            "The chief stopped before the training; its message says why."
        )
    return int(result)


def check_agreement(
    strategy: tf.distribute.Strategy,
    numbers: Mapping[str, int],
    way_out: str = "Give each worker the same data, whole, and the same "
    "arguments; each then takes its part of every batch.",
) -> None:
    """Raises the same error on all workers where they have other numbers.

    Workers with more steps than others would wait for these for ever.

    Args:
        strategy: The strategy.
        numbers: Dict from what it is, in words, to a number.
        way_out: Last sentence of the error.

    Raises:
        ValueError: If a number is not the same on all workers.
    """
    if not has_several_workers(strategy):
        return
    workers = strategy.num_replicas_in_sync // _num_local_replicas(strategy)
    rows = np.zeros((workers, len(numbers)))
    rows[worker_index(strategy)] = list(numbers.values())
    found = sum_of_workers(strategy, rows).astype("int64")
    for what, column in zip(numbers, found.T, strict=True):
        if len(set(column.tolist())) > 1:
            raise ValueError(
                f"The workers do not have the same {what}: found "
                f"{column.tolist()}, by worker. {way_out}"
            )


def sum_of_workers(strategy, array: np.ndarray) -> np.ndarray:
    """Sums arrays of float64 over all workers, for all of them.

    Args:
        strategy: The strategy. All workers must call this.
        array: Array of the same shape on each worker.
    """

    local = _num_local_replicas(strategy)
    if local not in _adders:
        _adders[local] = _make_adder(local)
    flat = tf.constant(array.ravel(), tf.float64)
    sums = strategy.run(_adders[local], args=(flat,))
    return (
        strategy.experimental_local_results(sums)[0]
        .numpy()
        .reshape(array.shape)
    )


# By the number of replicas of a worker; they stay, so that each is traced once.
_adders: dict[int, Callable] = {}


def _make_adder(local: int) -> Callable:
    @tf.function(reduce_retracing=True)
    def add(own):
        replica = tf.distribute.get_replica_context()
        # The first device of each worker speaks for it.
        speaks = tf.equal(replica.replica_id_in_sync_group % local, 0)
        own = tf.where(speaks, own, tf.zeros_like(own))
        return replica.all_reduce(tf.distribute.ReduceOp.SUM, own)

    return add


def _num_local_replicas(strategy) -> int:
    return len(strategy.extended.worker_devices)
