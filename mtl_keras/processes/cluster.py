"""What each worker of one host has to know of the others."""

from __future__ import annotations

import json
import os
import socket
from collections.abc import Mapping

from mtl_keras.processes.gpus import gpu_shares, visible_gpus

HOST = "127.0.0.1"


def free_ports(count: int) -> list[int]:
    """Finds ports of this host that nobody listens on.

    Args:
        count: Number of ports.

    Returns:
        Different ports, free at the time of the call.
    """
    # All are held until the last is found, so that none comes twice.
    held = [socket.socket() for _ in range(count)]
    try:
        for each in held:
            each.bind((HOST, 0))
        return [each.getsockname()[1] for each in held]
    finally:
        for each in held:
            each.close()


def worker_environments(
    count: int, environment: Mapping[str, str] | None = None
) -> list[dict[str, str]]:
    """Makes the environment variables of workers that train together.

    TF_CONFIG names all workers and which of them each is. The GPUs that the
    environment leaves visible are dealt out in equal shares; without GPUs the
    cores are, by TF_NUM_INTRAOP_THREADS, unless that is set.

    Args:
        count: Number of workers, 1 or more.
        environment: What they start from. Defaults to `os.environ`.

    Returns:
        The whole environment of each worker.

    Raises:
        ValueError: If there are GPUs, but fewer than workers.
    """
    environment = dict(os.environ if environment is None else environment)
    addresses = [f"{HOST}:{port}" for port in free_ports(count)]
    gpus = visible_gpus(environment)
    if gpus and len(gpus) < count:
        raise ValueError(
            f"There are {len(gpus)} GPUs for {count} workers, and each needs "
            f"one. Start at most {len(gpus)} workers, or set "
            "CUDA_VISIBLE_DEVICES='' to train on the CPU."
        )
    threads = max((os.cpu_count() or 1) // count, 1)
    made = []
    for index in range(count):
        task = {"type": "worker", "index": index}
        config = {"cluster": {"worker": addresses}, "task": task}
        own = {**environment, "TF_CONFIG": json.dumps(config)}
        if gpus:
            own["CUDA_VISIBLE_DEVICES"] = gpu_shares(gpus, count)[index]
        else:
            own.setdefault("TF_NUM_INTRAOP_THREADS", str(threads))
        made.append(own)
    return made
