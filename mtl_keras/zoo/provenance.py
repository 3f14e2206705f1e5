"""Records the machine and versions of a run, without host names."""

from __future__ import annotations

import importlib.metadata
import os
import platform
from pathlib import Path

import tensorflow as tf

_PACKAGES = ("tensorflow", "keras", "numpy")


def machine() -> dict[str, object]:
    """Returns the processor, its cores and the GPUs that TensorFlow sees."""
    gpus = tf.config.list_physical_devices("GPU")
    details = map(tf.config.experimental.get_device_details, gpus)
    return {
        "processor": _processor(),
        "cores": len(os.sched_getaffinity(0))
        if hasattr(os, "sched_getaffinity")
        else os.cpu_count(),
        "gpus": [d.get("device_name", "GPU") for d in details],
    }


def versions() -> dict[str, str]:
    """Returns the versions of Python, this package and its dependencies."""
    return {
        "python": platform.python_version(),
        "mtl_keras": importlib.metadata.version("mtl-keras"),
        **{name: importlib.metadata.version(name) for name in _PACKAGES},
    }


def _processor() -> str:
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.is_file():
        for line in cpuinfo.read_text().splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()
