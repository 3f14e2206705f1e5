"""The GPUs of this host and their distribution to processes."""

from __future__ import annotations

import subprocess
from collections.abc import Mapping, Sequence


def visible_gpus(environment: Mapping[str, str]) -> list[str]:
    """Lists the GPUs that are visible to a process.

    Args:
        environment: The environment variables of the process.

    Returns:
        A list of names in the format of CUDA_VISIBLE_DEVICES.
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
    """Distributes GPUs to processes.

    Args:
        gpus: Names of the GPUs, one or more.
        count: Number of processes.

    Returns:
        A list with CUDA_VISIBLE_DEVICES for each process. All shares have the
        same size; a remainder is not used. With fewer GPUs than processes,
        each process gets one GPU in turn.

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
