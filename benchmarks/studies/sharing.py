"""Measures every way of sharing on vectors, by number of tasks.

For 2, 8, 32 and 128 tasks: the processor seconds from building the model to its
first step, the time of a step, and the number of parameters.

Run:
    python benchmarks/studies/sharing.py [--family build_mlp ...]
        [--tasks 2 ...]
"""

import os
import sys
from pathlib import Path

sys.path.append(str(Path(__file__).parents[1]))

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "1")

import argparse
import csv
import time

import keras
import measure
import numpy as np
from training_steps import stream

from mtl_keras import models
from mtl_keras.tasks import Classification

BATCH, INPUTS, CLASSES, WIDTHS = 128, 32, 10, (64, 64)
BLOCKS, STEPS = 20, 20
# Of those that take vectors.
FAMILIES = {
    "build_mlp": {"hidden_units": WIDTHS},
    "build_low_rank_mlp": {"hidden_units": WIDTHS},
    "build_task_relation_mlp": {"hidden_units": WIDTHS},
    "build_soft_sharing_mlp": {"hidden_units": WIDTHS},
    "build_cross_stitch_mlp": {"hidden_units": WIDTHS},
    "build_mmoe": {"hidden_units": WIDTHS},
    "build_dselect_k": {"hidden_units": WIDTHS},
    "build_cgc": {"hidden_units": WIDTHS},
    "build_ple": {"hidden_units": WIDTHS},
}
NUMBERS = (2, 8, 32, 128)


def make_tasks(count):
    """Classifications of one kind."""
    return [Classification(f"task_{n}", CLASSES) for n in range(count)]


def data(count, inputs=INPUTS):
    """Returns random inputs, and labels of each task."""
    rng = np.random.default_rng(0)
    x = rng.normal(size=(8 * BATCH, inputs)).astype("float32")
    y = {
        task.name: rng.integers(CLASSES, size=len(x))
        for task in make_tasks(count)
    }
    return x, y


class Timed:
    """A model, the time of building it and of its first step, and more steps.

    Tracing the first step is done by one thread and takes too long to
    alternate, so its time is processor time, which other programs do not
    disturb.

    Args:
        build: Makes the compiled model.
    """

    def __init__(self, build):
        start = time.process_time()
        self.model = build()
        self.first_step = time.process_time() - start

    def take_first_step(self, x, y):
        """Takes a step by `fit`."""
        self.data = x, y
        start = time.process_time()
        first = {name: values[:BATCH] for name, values in y.items()}
        self.model.fit(x[:BATCH], first, batch_size=BATCH, verbose=0)
        self.first_step += time.process_time() - start

    def epoch(self, x, y):
        """Trains an epoch in a fixed order; returns the losses."""
        logs = self.model.fit(
            x, y, batch_size=BATCH, shuffle=False, verbose=0
        ).history
        return {k: v[0] for k, v in logs.items() if k.endswith("loss")}

    def block(self, x, y):
        """Returns a function that takes some steps."""
        step, batches = self.model.make_train_function(), stream(x, y, BATCH)

        def steps():
            for _ in range(STEPS):
                step(batches)

        return steps


def family_row(name, count):
    """Returns the first step, step and number of parameters of a family."""
    x, y = data(count)
    timed = Timed(
        lambda: models.get(name)((INPUTS,), make_tasks(count), **FAMILIES[name])
    )
    timed.take_first_step(x, y)
    timed.epoch(x, y)
    seconds = measure.alternate({name: timed.block(x, y)}, BLOCKS // 2)[name]
    low, high = np.quantile(seconds, [0.25, 0.75])
    return {
        "family": name,
        "tasks": count,
        "first_step_s": f"{timed.first_step:.2f}",
        "step_ms": f"{1e3 * np.median(seconds) / STEPS:.2f}",
        "quartile_low": f"{1e3 * low / STEPS:.2f}",
        "quartile_high": f"{1e3 * high / STEPS:.2f}",
        "parameters": timed.model.count_params(),
        "machine": measure.machine(),
    }


def write_beside(name, rows, column, order):
    """Writes rows, beside those of other cases that were measured before.

    Args:
        name: Name of the file of results.
        rows: The new rows.
        column: The column that distinguishes cases.
        order: Values of that column, in the order of the file.
    """
    path = measure.RESULTS / f"{name}.csv"
    known = {}
    if path.exists():
        with open(path, newline="") as file:
            known = {row[column]: row for row in csv.DictReader(file)}
    known |= {row[column]: row for row in rows}
    measure.write(
        name, sorted(known.values(), key=lambda r: order.index(r[column]))
    )


def main():
    """Measures the families and numbers of tasks that the command names."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--family", nargs="*", default=list(FAMILIES))
    parser.add_argument("--tasks", nargs="*", type=int, default=list(NUMBERS))
    arguments = parser.parse_args()
    order = [f"{name}_{count}" for name in FAMILIES for count in NUMBERS]
    for name in arguments.family:
        for count in arguments.tasks:
            row = {"case": f"{name}_{count}", **family_row(name, count)}
            write_beside("sharing", [row], "case", order)
            keras.backend.clear_session()


if __name__ == "__main__":
    main()
