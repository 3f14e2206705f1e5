"""Picks a `tf.distribute.Strategy`."""

from __future__ import annotations

import json
import os

import tensorflow as tf

from mtl_keras.distribution import slurm
from mtl_keras.distribution.devices import (
    num_gpus,
    use_cpu_devices,
    use_gpus,
)
from mtl_keras.spelling import did_you_mean

KINDS = ("auto", "none", "mirrored", "multi_worker")
# One for each set of devices: TensorFlow counts the collective operations of
# each strategy from the start, and two of the same devices get in each other's
# way.
_made: dict[tuple, tf.distribute.Strategy] = {}


def strategy(
    kind: str | tf.distribute.Strategy = "auto", replicas: int | None = None
) -> tf.distribute.Strategy:
    """Picks the strategy that spreads training over devices and hosts.

    Models are made and loaded inside of its `scope()`; `build` does both at
    once. The batch size that `fit` takes is the global one, of all replicas
    together: N replicas then train as one does.

    Call it first in a program. Logical CPU devices and the connections to
    other hosts cannot be made once TensorFlow has computed something.

    Args:
        kind: `"mirrored"` for the GPUs of this machine; without GPUs, for
            logical CPU devices, to test with. `"multi_worker"` for the hosts
            that the environment variable TF_CONFIG names or, without it, for
            the tasks that SLURM's `srun` started. `"none"` for one device.
            `"auto"` (default) for the second if there are several workers,
            else for the first if there are several GPUs or `replicas` is more
            than 1, else for one device. A strategy is returned as it is.
        replicas: Number of devices, of each host if there are several.
            Defaults to all GPUs, or one CPU device.

    Returns:
        A `tf.distribute.Strategy`, the same one for the same devices.

    Raises:
        RuntimeError: If TensorFlow has already started without the devices.
        TypeError: If `kind` is neither a name nor a strategy.
        ValueError: If there is no such strategy, if there are fewer GPUs than
            `replicas`, or if neither TF_CONFIG nor SLURM names workers where
            one has to.

    Example:

    >>> strategy = mtl_keras.distribution.strategy("none")
    >>> with strategy.scope():
    ...     model = mtl_keras.build_mlp()
    """
    _check(kind, replicas)
    if isinstance(kind, tf.distribute.Strategy):
        return kind
    if kind == "auto":
        kind = _fitting(replicas)
    if kind == "none":
        return tf.distribute.get_strategy()
    if kind == "mirrored":
        return _mirrored(replicas)
    return _multi_worker(replicas)


def num_workers_of_environment() -> int:
    """Counts the workers that TF_CONFIG, or else SLURM names; 0 if neither.

    Raises:
        ValueError: If TF_CONFIG is no JSON object, or SLURM's number no number.
    """
    text = os.environ.get("TF_CONFIG", "")
    if not text.strip():
        return slurm.num_tasks()
    try:
        cluster = json.loads(text).get("cluster", {})
    except (ValueError, AttributeError) as error:
        raise ValueError(
            f"The environment variable TF_CONFIG is {text!r}; expected JSON "
            'such as {"cluster": {"worker": ["host1:port", "host2:port"]}, '
            '"task": {"type": "worker", "index": 0}}.'
        ) from error
    return sum(len(cluster.get(job, ())) for job in ("chief", "worker"))


def _check(kind, replicas: int | None) -> None:
    if replicas is not None and (
        isinstance(replicas, bool)
        or not isinstance(replicas, int)
        or replicas < 1
    ):
        raise ValueError(f"replicas={replicas!r}; expected an integer from 1.")
    if isinstance(kind, tf.distribute.Strategy):
        found = kind.num_replicas_in_sync
        if replicas not in (None, found):
            raise ValueError(
                f"replicas={replicas}, and the strategy has {found}. Leave "
                "replicas out: a strategy brings its devices."
            )
        return
    if not isinstance(kind, str):
        raise TypeError(
            f"The strategy is {kind!r} of type {type(kind).__name__}; expected "
            f"one of {KINDS} or a tf.distribute.Strategy."
        )
    if kind not in KINDS:
        raise ValueError(
            f"There is no strategy {kind!r}. {did_you_mean(kind, KINDS)}"
        )
    if kind == "none" and replicas not in (None, 1):
        raise ValueError(
            f"replicas={replicas}, and the strategy 'none' has one. Choose "
            "'mirrored' or 'auto'."
        )


def _fitting(replicas: int | None) -> str:
    if num_workers_of_environment() > 1:
        return "multi_worker"
    if (replicas or num_gpus()) > 1:
        return "mirrored"
    return "none"


def _mirrored(replicas: int | None) -> tf.distribute.Strategy:
    devices = use_gpus(replicas) if num_gpus() else None
    devices = tuple(devices or use_cpu_devices(replicas or 1))
    if devices not in _made:
        _made[devices] = tf.distribute.MirroredStrategy(list(devices))
    return _made[devices]


def _multi_worker(replicas: int | None) -> tf.distribute.Strategy:
    if not num_workers_of_environment():
        raise ValueError(
            "The strategy 'multi_worker' needs the environment variable "
            "TF_CONFIG, which names all workers and which of them this "
            "process is. Set it in each process before it starts, or choose "
            "'mirrored' for the devices of one machine. Under SLURM, start "
            "the processes by srun, which sets what is needed."
        )
    config = os.environ.get("TF_CONFIG", "").strip()
    key = ("workers", config, replicas)
    if key in _made:
        return _made[key]
    if replicas is not None:
        _limit_local_devices(replicas)
    try:
        _made[key] = tf.distribute.MultiWorkerMirroredStrategy(
            cluster_resolver=None if config else slurm.resolver()
        )
    except RuntimeError as error:
        raise RuntimeError(
            "The strategy 'multi_worker' connects the hosts before TensorFlow "
            "computes anything, and it has already started. Call "
            "mtl_keras.distribution.strategy(...) first: before any tensor, "
            "model or data set is made."
        ) from error
    return _made[key]


def _limit_local_devices(replicas: int) -> None:
    if num_gpus():
        gpus = tf.config.get_visible_devices("GPU")[: len(use_gpus(replicas))]
        tf.config.set_visible_devices(gpus, "GPU")
    elif replicas > 1:
        raise ValueError(
            f"replicas={replicas}, and a host without GPUs is one replica "
            "under the strategy 'multi_worker'. Start more workers instead."
        )
