"""Measures the time and the peak memory of reading a table, against pandas.

`from_csv` reads, encodes and splits 1,000,000 rows of 10 columns; pandas reads
them by `read_csv` and encodes them by `get_dummies`. Each call runs in a
separate process, and they alternate. Processor seconds and the peak of the
resident memory are those of the call, without those of the process before it.

Run: python benchmarks/reading.py [--rows N] [--blocks N]
"""

import os

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "1")

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import measure
import numpy as np

ARMS = ("pandas", "control", "mtl_keras")


def write_table(path: Path, rows: int) -> None:
    """Writes seven columns of numbers, two of texts and one of classes."""
    import pandas

    rng = np.random.default_rng(0)
    columns = {f"x{k}": rng.normal(size=rows).round(4) for k in range(5)}
    columns["count"] = rng.integers(0, 1000, rows)
    columns["flag"] = rng.integers(0, 2, rows)
    columns["city"] = rng.choice([f"city{k}" for k in range(30)], rows)
    columns["job"] = rng.choice(["cook", "nurse", "pilot"], rows)
    columns["label"] = rng.choice(["low", "mid", "top"], rows)
    pandas.DataFrame(columns).to_csv(path, index=False)


def read(arm: str, path: str) -> None:
    """Reads the table once, and prints the time and memory."""
    import pandas

    import mtl_keras

    # A small table first: a first call loads modules, for any number of rows.
    small = Path(path).with_name("small.csv")
    mtl_keras.datasets.from_csv(small, ["label"]).arrays()
    pandas.get_dummies(pandas.read_csv(small))
    before = resource.getrusage(resource.RUSAGE_SELF)
    start = time.perf_counter()
    if arm == "mtl_keras":
        data = mtl_keras.datasets.from_csv(path, ["label"])
        held = data.source.x
    else:
        held = pandas.get_dummies(pandas.read_csv(path), dtype="float32")
    wall = time.perf_counter() - start
    after = resource.getrusage(resource.RUSAGE_SELF)
    assert len(held)
    print(
        json.dumps(
            {
                "wall": wall,
                "processor": after.ru_utime
                + after.ru_stime
                - before.ru_utime
                - before.ru_stime,
                "mib": (after.ru_maxrss - before.ru_maxrss) / 1024,
            }
        )
    )


def main():
    """Alternates the arms and writes their ratios."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--blocks", type=int, default=7)
    parser.add_argument("--read", nargs=2, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.read:
        read(*arguments.read)
        return
    costs = {arm: [] for arm in ARMS}
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "table.csv"
        write_table(path, arguments.rows)
        write_table(Path(folder) / "small.csv", 200)
        for _ in range(arguments.blocks):
            for arm in ARMS:
                found = subprocess.run(
                    [sys.executable, __file__, "--read", arm, str(path)],
                    check=True,
                    capture_output=True,
                    text=True,
                )
                costs[arm].append(json.loads(found.stdout.splitlines()[-1]))
    rows = []
    for arm in ARMS[1:]:
        for unit in ("processor", "wall", "mib"):
            mine, other = (
                np.array([cost[unit] for cost in costs[which]])
                for which in (arm, "pandas")
            )
            median, low, high = measure.ratio(mine, other)
            rows.append(
                {
                    "arm": arm,
                    "measured": unit,
                    "over_pandas": f"{median:.3f}",
                    "interval_low": f"{low:.3f}",
                    "interval_high": f"{high:.3f}",
                    "median": f"{np.median(mine):.2f}",
                    "pandas_median": f"{np.median(other):.2f}",
                    "rows": arguments.rows,
                    "blocks": arguments.blocks,
                    "machine": measure.machine(),
                }
            )
    measure.write("reading", rows)


if __name__ == "__main__":
    main()
