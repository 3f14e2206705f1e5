"""Measures how long `build_cnn` waits for the batches of a mixed stream.

Two data sets with the sizes and shapes of MNIST and Fashion-MNIST, and random
pixels. Waiting is the time spent in `next(iterator)` between the model's
training steps. Blocks on the stream alternate with blocks on one prepared
batch, which measure the cost of `next` itself; the difference is the cost of
mixing. The time of the first batch of an epoch is listed separately, and as a
share of the epoch.

Run: python benchmarks/mixed_stream.py
"""

import os

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "1")

import time

import measure
import numpy as np
import tensorflow as tf

import mtl_keras

BLOCKS = 20
STEPS = 40
BATCH_SIZE = 64
TASKS = ("digit", "clothing")
SCHEDULES = ("joint", "alternate", "proportional")


def data():
    """Returns two data sets, of one task each."""
    rng = np.random.default_rng(0)
    return {
        task: (
            rng.random((60000, 28, 28, 1), "float32"),
            {task: rng.integers(10, size=60000).astype("int32")},
        )
        for task in TASKS
    }


def build():
    """Returns `build_cnn` with a task for each data set."""
    return mtl_keras.build_cnn(
        (28, 28, 1), [mtl_keras.Classification(t, 10) for t in TASKS]
    )


def timed_steps(step, iterator) -> tuple[float, float]:
    """Returns seconds of waiting for batches, and of waiting and training."""
    waited, start = 0.0, time.perf_counter()
    for _ in range(STEPS):
        asked = time.perf_counter()
        batch = next(iterator)
        waited += time.perf_counter() - asked
        step(iter([batch]))
    return waited, time.perf_counter() - start


def start_epoch(stream) -> float:
    """Returns seconds until the first batch of an epoch is there."""
    start = time.perf_counter()
    next(iter(stream))
    return time.perf_counter() - start


def compare(schedule, sets):
    """Measures one schedule and returns a row of results."""
    stream = mtl_keras.datasets.mix(sets, schedule, batch_size=BATCH_SIZE)
    model = build()
    # Compiles the step, and creates the counters of the model.
    model.fit(stream.take(2), verbose=0)
    step = model.make_train_function()
    cached = tf.data.Dataset.from_tensors(next(iter(stream))).repeat()
    iterators = {"mixed": iter(stream), "cached": iter(cached)}
    times = {arm: [] for arm in iterators}

    def block(arm):
        times[arm].append(timed_steps(step, iterators[arm]))

    measure.alternate(
        {arm: lambda arm=arm: block(arm) for arm in iterators}, BLOCKS
    )
    mixed, there = (np.array(times[arm][-BLOCKS:]).T for arm in iterators)
    seconds_a_step = np.median(mixed[1]) / STEPS
    added = (mixed[0] - there[0]) / mixed[1]
    rng = np.random.default_rng(0)
    draws = np.median(rng.choice(added, (4000, BLOCKS)), axis=1)
    first = np.median([start_epoch(stream) for _ in range(5)])
    return {
        "schedule": schedule,
        "waiting_added": f"{np.median(added):.4f}",
        "interval_low": f"{np.quantile(draws, 0.025):.4f}",
        "interval_high": f"{np.quantile(draws, 0.975):.4f}",
        "next_mixed": f"{np.median(mixed[0] / mixed[1]):.4f}",
        "next_cached": f"{np.median(there[0] / there[1]):.4f}",
        "step_ms": f"{1000 * seconds_a_step:.2f}",
        "first_batch_ms": f"{1000 * first:.0f}",
        "first_over_epoch": f"{first / (len(stream) * seconds_a_step):.4f}",
        "blocks": BLOCKS,
        "machine": measure.machine(),
    }


def main():
    """Compares the schedules."""
    sets = data()
    measure.write("mixed_stream", [compare(name, sets) for name in SCHEDULES])


if __name__ == "__main__":
    main()
