"""What each worker of one host has to know of the others."""

from __future__ import annotations

import json
import os
import socket
import subprocess
from collections.abc import Mapping

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
    gpus = _visible_gpus(environment)
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
            share = len(gpus) // count
            mine = gpus[index * share : (index + 1) * share]
            own["CUDA_VISIBLE_DEVICES"] = ",".join(mine)
        else:
            own.setdefault("TF_NUM_INTRAOP_THREADS", str(threads))
        made.append(own)
    return made


def _visible_gpus(environment: Mapping[str, str]) -> list[str]:
    """Names of the GPUs, as CUDA_VISIBLE_DEVICES takes them."""
    visible = environment.get("CUDA_VISIBLE_DEVICES")
    if visible is not None:
        names = [name.strip() for name in visible.split(",")]
        return [name for name in names if name not in ("", "-1")]
    try:
        found = subprocess.run(
            ["nvidia-smi", "--query-gpu=index", "--format=csv,noheader"],
            capture_output=True,
            text=True,
            check=True,
        )
    except (OSError, subprocess.CalledProcessError):
        return []  # no GPU, or none that works
    return found.stdout.split()
