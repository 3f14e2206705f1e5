"""What the benchmarks share: alternating blocks, ratios and their interval."""

from __future__ import annotations

import csv
import os
import platform
import time
from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np

RESULTS = Path(__file__).parent / "results"


def alternate(
    arms: Mapping[str, Callable[[], object]], blocks: int, warm_up: int = 2
) -> dict[str, list[float]]:
    """Times functions in turn, so that drift of the machine hits all alike.

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
    """Median ratio of paired blocks with a bootstrap interval of 95 %.

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


def machine() -> str:
    """Names the processor and the versions that the numbers hold for."""
    import keras
    import tensorflow as tf

    return (
        f"{os.cpu_count()} cores {platform.machine()}, Python "
        f"{platform.python_version()}, TensorFlow {tf.__version__}, Keras "
        f"{keras.__version__}"
    )


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
    """Mean difference over what both have, and half of its 95 % interval.

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
