"""Picks a `tf.distribute.Strategy`."""

from __future__ import annotations

import json
import os

import tensorflow as tf

from mtl_keras.argument_checks import check_integer
from mtl_keras.distribution import slurm
from mtl_keras.distribution.devices import (
    num_gpus,
    use_cpu_devices,
    use_gpus,
)
from mtl_keras.spelling import did_you_mean

KINDS = ("auto", "none", "mirrored", "multi_worker")
# One for each set of devices: each strategy numbers its collective operations
# from 0, so two strategies on the same devices would mix them up.
_strategies: dict[tuple, tf.distribute.Strategy] = {}


def strategy(
    kind: str | tf.distribute.Strategy = "auto", replicas: int | None = None
) -> tf.distribute.Strategy:
    """Picks the strategy that distributes training over devices and hosts.

    Create and load models within its `scope()`, or call
    `mtl_keras.distribution.build`. The batch size that `fit` takes is the
    global one, of all replicas together, so that N replicas train as one does.

    Call this first in a program: TensorFlow cannot create logical CPU devices
    or connect to other hosts after it has started.

    Args:
        kind: One of:
            - `"mirrored"`: the GPUs of this machine. Without GPUs, logical CPU
              devices, for tests.
            - `"multi_worker"`: the hosts in the environment variable
              TF_CONFIG or, without it, the tasks that SLURM's `srun` started.
            - `"none"`: one device.
            - `"auto"` (default): `"multi_worker"` for several workers,
              `"mirrored"` for several GPUs or `replicas` above 1, else
              `"none"`.
            - A `tf.distribute.Strategy`, which is returned unchanged.
        replicas: Number of devices of each host. Defaults to all GPUs, or one
            CPU device.

    Returns:
        A `tf.distribute.Strategy`, the same one for the same devices.

    Raises:
        RuntimeError: If TensorFlow has already started without the devices.
        TypeError: If `kind` is neither a string nor a strategy, or `replicas`
            not an integer.
        ValueError: If `kind` is unknown, if `replicas` is below 1 or above the
            number of GPUs, or if neither TF_CONFIG nor SLURM names the workers
            of `"multi_worker"`.

    Example:

    >>> strategy = mtl_keras.distribution.strategy("none")
    >>> with strategy.scope():
    ...     model = mtl_keras.build_mlp()
    """
    _check(kind, replicas)
    if isinstance(kind, tf.distribute.Strategy):
        return kind
    if kind == "auto":
        kind = _default_kind(replicas)
    if kind == "none":
        return tf.distribute.get_strategy()
    if kind == "mirrored":
        return _mirrored(replicas)
    return _multi_worker(replicas)


def count_workers() -> int:
    """Counts the workers in TF_CONFIG or, without it, the tasks of SLURM.

    Returns:
        The number of workers; 0 without TF_CONFIG and outside of SLURM.

    Raises:
        ValueError: If TF_CONFIG is not a JSON object, or SLURM's number of
            tasks is not a number.
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
    if replicas is not None:
        check_integer("replicas", replicas, minimum=1)
    if isinstance(kind, tf.distribute.Strategy):
        found = kind.num_replicas_in_sync
        if replicas not in (None, found):
            raise ValueError(
                f"replicas={replicas}, but the strategy has {found}. Leave "
                "replicas out: a strategy has fixed devices."
            )
        return
    if not isinstance(kind, str):
        raise TypeError(
            f"The strategy is {kind!r} of type {type(kind).__name__}; expected "
            f"one of {KINDS} or a tf.distribute.Strategy."
        )
    if kind not in KINDS:
        raise ValueError(
            f"Unknown strategy {kind!r}. {did_you_mean(kind, KINDS)}"
        )
    if kind == "none" and replicas not in (None, 1):
        raise ValueError(
            f"replicas={replicas}, but the strategy 'none' has one. Pass "
            "'mirrored' or 'auto'."
        )


def _default_kind(replicas: int | None) -> str:
    if count_workers() > 1:
        return "multi_worker"
    if (replicas or num_gpus()) > 1:
        return "mirrored"
    return "none"


def _mirrored(replicas: int | None) -> tf.distribute.Strategy:
    devices = use_gpus(replicas) if num_gpus() else None
    devices = tuple(devices or use_cpu_devices(replicas or 1))
    if devices not in _strategies:
        _strategies[devices] = tf.distribute.MirroredStrategy(list(devices))
    return _strategies[devices]


def _multi_worker(replicas: int | None) -> tf.distribute.Strategy:
    if not count_workers():
        raise ValueError(
            "The strategy 'multi_worker' needs the environment variable "
            "TF_CONFIG, which names all workers and the index of this one. "
            "Set it in each process before it starts, or pass 'mirrored' for "
            "the devices of one machine. Under SLURM, start the processes "
            "with srun, which sets all that is needed."
        )
    config = os.environ.get("TF_CONFIG", "").strip()
    key = ("workers", config, replicas)
    if key in _strategies:
        return _strategies[key]
    if replicas is not None:
        _limit_local_devices(replicas)
    try:
        _strategies[key] = tf.distribute.MultiWorkerMirroredStrategy(
            cluster_resolver=None if config else slurm.resolver()
        )
    except RuntimeError as error:
        raise RuntimeError(
            "The strategy 'multi_worker' must connect the hosts before "
            "TensorFlow starts, but it has already started. Call "
            "mtl_keras.distribution.strategy(...) first, before any tensor, "
            "model or data set is created."
        ) from error
    return _strategies[key]


def _limit_local_devices(replicas: int) -> None:
    if num_gpus():
        gpus = tf.config.get_visible_devices("GPU")[: len(use_gpus(replicas))]
        tf.config.set_visible_devices(gpus, "GPU")
    elif replicas > 1:
        raise ValueError(
            f"replicas={replicas}, but a host without GPUs is one replica "
            "under the strategy 'multi_worker'. Start more workers instead."
        )
