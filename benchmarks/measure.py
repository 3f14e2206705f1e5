"""Alternating blocks, ratios and their intervals, for all benchmarks."""

from __future__ import annotations

import csv
import os
import platform
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np

# The folder of the script that runs, a benchmark or a study.
RESULTS = Path(sys.argv[0]).resolve().parent / "results"


def alternate(
    arms: Mapping[str, Callable[[], object]], blocks: int, warm_up: int = 2
) -> dict[str, list[float]]:
    """Times functions in turn, so that drift of the machine affects all.

    Args:
        arms: The functions, by name.
        blocks: How often each is timed.
        warm_up: How often each runs before, untimed.

    Returns:
        Seconds of each block, by name.
    """
    seconds = {name: [] for name in arms}
    rng = np.random.default_rng(0)
    for block in range(-warm_up, blocks):
        # In random order, because an arm feels which one ran before it.
        for name in rng.permutation(list(arms)):
            start = time.perf_counter()
            arms[name]()
            if block >= 0:
                seconds[name].append(time.perf_counter() - start)
    return seconds


def ratio(
    seconds: list[float], reference: list[float]
) -> tuple[float, float, float]:
    """Returns the median ratio of paired blocks and its 95 % interval.

    Args:
        seconds: Seconds of each block.
        reference: Seconds of the blocks they are compared with.

    Returns:
        The median, and the lower and upper end of the interval.
    """
    ratios = np.divide(seconds, reference)
    rng = np.random.default_rng(0)
    draws = rng.choice(ratios, size=(4000, len(ratios)))
    low, high = np.quantile(np.median(draws, axis=1), [0.025, 0.975])
    return float(np.median(ratios)), float(low), float(high)


# As in /proc/cpuinfo. If the processor has one of the last three, TensorFlow
# turns oneDNN on by itself.
VECTOR_EXTENSIONS = {
    "avx2": "AVX2",
    "avx512f": "AVX512F",
    "avx512_vnni": "AVX512-VNNI",
    "avx_vnni": "AVX-VNNI",
    "amx_tile": "AMX",
}


def machine(onednn: bool | None = None) -> str:
    """Names the processor and the versions that the numbers hold for.

    Args:
        onednn: Whether TensorFlow used its oneDNN kernels, if another process
            was measured. Defaults to the state of this process.

    Returns:
        Such as `"AMD EPYC, 2 cores x86_64 with AVX2, oneDNN on, ..."`.
    """
    import keras
    import tensorflow as tf
    from tensorflow.python.util import _pywrap_util_port

    from mtl_keras.zoo import provenance

    # Not the environment variable, which may have been set too late.
    on = _pywrap_util_port.IsMklEnabled() if onednn is None else onednn
    return (
        f"{provenance.machine()['processor']}, {os.cpu_count()} cores "
        f"{platform.machine()} with {vector_extensions()}, oneDNN "
        f"{'on' if on else 'off'}, Python {platform.python_version()}, "
        f"TensorFlow {tf.__version__}, Keras {keras.__version__}"
    )


def vector_extensions() -> str:
    """Lists the vector extensions of the processor that matter for oneDNN."""
    cpuinfo = Path("/proc/cpuinfo")
    if not cpuinfo.is_file():
        return "unknown vector extensions"
    flags = set()
    for line in cpuinfo.read_text().splitlines():
        if line.startswith("flags"):
            flags.update(line.partition(":")[2].split())
    found = [name for flag, name in VECTOR_EXTENSIONS.items() if flag in flags]
    return " ".join(found) or "none of " + ", ".join(VECTOR_EXTENSIONS.values())


def write(name: str, rows: list[dict]) -> None:
    """Prints rows as a table and writes them as `results/<name>.csv`.

    Args:
        name: Name of the benchmark.
        rows: Values by column, with the same columns in each.
    """
    RESULTS.mkdir(exist_ok=True)
    with open(RESULTS / f"{name}.csv", "w", newline="") as file:
        writer = csv.DictWriter(file, rows[0])
        writer.writeheader()
        writer.writerows(rows)
    widths = {
        column: max(len(column), *(len(str(row[column])) for row in rows))
        for column in rows[0]
    }
    for row in [{column: column for column in rows[0]}, *rows]:
        print("  ".join(str(row[c]).ljust(w) for c, w in widths.items()))


def paired(found: Mapping, others: Mapping, digits: int) -> str:
    """Returns the mean paired difference and half of its 95 % interval.

    Args:
        found: Number by split, fold or seed.
        others: The same of what it is compared with.
        digits: Decimals to write.

    Returns:
        Such as `"+0.042 +- 0.021"`; empty where there is nothing to compare.
    """
    from scipy import stats  # few benchmarks need it

    differences = np.array([found[k] - others[k] for k in found if k in others])
    if len(differences) < 2 or not differences.any():
        return ""
    half = stats.t.ppf(0.975, len(differences) - 1) * stats.sem(differences)
    return f"{differences.mean():+.{digits}f} +- {half:.{digits}f}"
