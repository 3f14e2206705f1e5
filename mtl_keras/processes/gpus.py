"""The GPUs of this host, and their shares."""

from __future__ import annotations

import subprocess
from collections.abc import Mapping, Sequence


def visible_gpus(environment: Mapping[str, str]) -> list[str]:
    """Lists the GPUs that a process would see.

    Args:
        environment: Its environment variables.

    Returns:
        Their names, as CUDA_VISIBLE_DEVICES takes them.
    """
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


def gpu_shares(gpus: Sequence[str], count: int) -> list[str]:
    """Deals GPUs out to processes.

    Args:
        gpus: Names of the GPUs, one or more.
        count: Number of processes.

    Returns:
        CUDA_VISIBLE_DEVICES of each process: shares of the same size, of which
        a rest is left over; or one GPU each, in turn, where there are fewer.

    Example:

    >>> from mtl_keras.processes.gpus import gpu_shares
    >>> gpu_shares(["0", "1", "2", "3"], 2), gpu_shares(["0", "1"], 3)
    (['0,1', '2,3'], ['0', '1', '0'])
    """
    size = len(gpus) // count
    if not size:
        return [gpus[index % len(gpus)] for index in range(count)]
    return [
        ",".join(gpus[index * size : (index + 1) * size])
        for index in range(count)
    ]
