"""Measures the start and the speed of a mixture of 139 small data sets.

139 data sets of 20 to 300 rows of 27 numbers with a regression each, as many as
the schools of a common multi-task data set. The start is the time from the call
of `mix` to its first batch; the time of a batch is the mean over two further
epochs. Every repetition creates a new mixture, whose graphs are traced again.

Run: python benchmarks/mixing_many.py
"""

import os

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "1")

import time

import measure
import numpy as np

from mtl_keras.datasets import mix

SETS = 139
REPETITIONS = 7
SCHEDULES = {"joint": 2 * SETS, "proportional": 32, "alternate": 32}


def data():
    """Returns the data sets, of one task each."""
    rng = np.random.default_rng(0)
    sets = {}
    for number in range(SETS):
        rows = int(rng.integers(20, 301))
        x = rng.normal(size=(rows, 27)).astype("float32")
        sets[f"school_{number}"] = (x, {f"score_{number}": x[:, 0]})
    return sets


def once(sets, schedule: str, batch_size: int) -> tuple[float, float]:
    """Returns seconds until the first batch, and of each further batch."""
    start = time.perf_counter()
    stream = mix(sets, schedule, batch_size=batch_size)
    next(iter(stream))
    ready = time.perf_counter() - start
    start, batches = time.perf_counter(), 0
    for _ in range(2):
        for _ in stream:
            batches += 1
    return ready, (time.perf_counter() - start) / batches


def compare(sets, schedule: str, batch_size: int) -> dict:
    """Measures one schedule and returns a row of results."""
    # The first mixture of a process includes the time of loading TensorFlow.
    first, _ = once(sets, schedule, batch_size)
    times = [once(sets, schedule, batch_size) for _ in range(REPETITIONS)]
    ready, batch = np.array(times).T
    return {
        "schedule": schedule,
        "data_sets": SETS,
        "batch_size": batch_size,
        "first_seconds": f"{first:.2f}",
        "ready_seconds": f"{np.median(ready):.2f}",
        "least": f"{ready.min():.2f}",
        "most": f"{ready.max():.2f}",
        "batch_ms": f"{1000 * np.median(batch):.2f}",
        "repetitions": REPETITIONS,
        "machine": measure.machine(),
    }


def main():
    """Measures the schedules."""
    sets = data()
    rows = [compare(sets, *arm) for arm in SCHEDULES.items()]
    measure.write("mixing_many", rows)


if __name__ == "__main__":
    main()
