"""Environments of workers that train together on one host."""

from __future__ import annotations

import json
import os
import socket
from collections.abc import Mapping

from mtl_keras.processes.gpus import gpu_shares, visible_gpus

HOST = "127.0.0.1"


def free_ports(count: int) -> list[int]:
    """Finds free ports of this host.

    Args:
        count: Number of ports.

    Returns:
        A list of different ports that are free at the time of the call.
    """
    # All sockets stay open until the last, so that the ports differ.
    sockets = [socket.socket() for _ in range(count)]
    try:
        for each in sockets:
            each.bind((HOST, 0))
        return [each.getsockname()[1] for each in sockets]
    finally:
        for each in sockets:
            each.close()


def worker_environments(
    count: int, environment: Mapping[str, str] | None = None
) -> list[dict[str, str]]:
    """Creates the environment variables of workers that train together.

    TF_CONFIG contains the addresses of all workers and the index of each. The
    visible GPUs are distributed in equal shares. Without GPUs, the cores are
    distributed by TF_NUM_INTRAOP_THREADS, unless it is set.

    Args:
        count: Number of workers, 1 or more.
        environment: Environment variables to start from. Defaults to
            `os.environ`.

    Returns:
        A list with the complete environment of each worker.

    Raises:
        ValueError: If there are GPUs, but fewer than workers.
    """
    environment = dict(os.environ if environment is None else environment)
    addresses = [f"{HOST}:{port}" for port in free_ports(count)]
    gpus = visible_gpus(environment)
    if gpus and len(gpus) < count:
        raise ValueError(
            f"There are {len(gpus)} GPUs for {count} workers, and each worker "
            f"needs one. Start at most {len(gpus)} workers, or set "
            "CUDA_VISIBLE_DEVICES='' to train on the CPU."
        )
    threads = max((os.cpu_count() or 1) // count, 1)
    environments = []
    for index in range(count):
        task = {"type": "worker", "index": index}
        config = {"cluster": {"worker": addresses}, "task": task}
        variables = {**environment, "TF_CONFIG": json.dumps(config)}
        if gpus:
            variables["CUDA_VISIBLE_DEVICES"] = gpu_shares(gpus, count)[index]
        else:
            variables.setdefault("TF_NUM_INTRAOP_THREADS", str(threads))
        environments.append(variables)
    return environments
