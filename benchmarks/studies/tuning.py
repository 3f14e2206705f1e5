"""Measures the time of a search, against KerasTuner, and its memory.

Parts:

- `speed`: trials per minute. Both search all points of the same grid, with the
  same factory, data, epochs and seed of each training, so the scores must be
  equal. The stock tuner builds and compiles a model for each trial;
  `tuning.search` also writes its journal.
- `workers`: two workers against one, each with TensorFlow on one thread. The
  time before the first trials have ended, in which the workers start and trace
  their models, is not counted.
- `memory`: peak memory of 20 trials and of 200, in separate processes.

    python benchmarks/studies/tuning.py [--part NAME ...] [--case NAME]
        [--blocks 3]

With `--case`, the rows of the other cases stay as they are in the results.
"""

from __future__ import annotations

import argparse
import csv
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

sys.path.append(str(Path(__file__).parents[1]))

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "1")

import measure
import numpy as np
from tuning_stock import search_stock

import mtl_keras
from mtl_keras import tuning
from mtl_keras.tuning.journal import FILE

EPOCHS = 3
OBJECTIVE = "left_accuracy"
FIXED = {"input_shape": [(20,)], "num_classes": 3, "trunk_depth": 2}
RATIOS = [0.1, 0.3, 1.0, 3.0, 10.0]
RATES = [0.001, 0.003, 0.01, 0.03]
# Grids of 20 points.
CASES = {
    "weights and rate": {
        "trunk_width": 32,
        "loss_weight/right": RATIOS,
        "learning_rate": RATES,
    },
    "weights and temperature": {
        "trunk_width": 32,
        "loss_weight/right": RATIOS,
        "weighting": "dwa",
        "weighting/temperature": [0.5, 1.0, 2.0, 4.0],
        "learning_rate": 0.01,
    },
    "weights and four widths": {
        "trunk_width": [8, 16, 32, 64],
        "loss_weight/right": RATIOS,
        "learning_rate": 0.01,
    },
}
PARTS = ("speed", "workers", "memory")
# Of two workers, that trace a model each.
STARTED = 4


def samples(count, seed):
    """Returns two tasks of three classes on 20 features."""
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(count, 20)).astype("float32")
    y = {
        "left": np.argmax(x[:, :3] + x[:, 3:6] * x[:, 6:9], axis=1),
        "right": np.argmax(x[:, 9:12], axis=1),
    }
    return x, y


TRAIN, VALIDATION = samples(600, 0), samples(300, 1)


def search(space, trials, folder, name, **arguments):
    """Searches with this library, and returns the study."""
    arguments = {"tuner": "grid", "verbose": 0, **arguments}
    study = tuning.search(
        mtl_keras.build_mlp,
        {**FIXED, **space},
        TRAIN,
        VALIDATION,
        objective=OBJECTIVE,
        max_trials=trials,
        epochs=EPOCHS,
        patience=None,
        merge=False,
        directory=folder,
        name=name,
        **arguments,
    )
    assert len(study.completed) == trials
    return study


def score_stock(space, trials, folder, name):
    """Returns scores of the trials of KerasTuner."""
    data = (TRAIN, VALIDATION)
    return search_stock(space, trials, folder, name, data, EPOCHS)


def score_ours(space, trials, folder, name):
    """Returns scores of the trials of this library."""
    study = search(space, trials, folder, name)
    return [trial.objectives[OBJECTIVE] for trial in study.trials]


def measure_speed(case, blocks):
    """Times both in turn, each time from the start."""
    space, trials = CASES[case], len(RATIOS) * 4
    scores, used = {}, {"stock": [], "ours": []}
    count = iter(range(1000))

    def run(name, search_once, folder):
        started = time.process_time()
        scores[name] = search_once(space, trials, folder, f"{next(count)}")
        used[name].append((time.process_time() - started) / trials)

    with tempfile.TemporaryDirectory() as folder:
        for warm in (score_stock, score_ours):
            warm(space, 2, folder, f"{next(count)}")
        seconds = measure.alternate(
            {
                "stock": lambda: run("stock", score_stock, folder),
                "ours": lambda: run("ours", score_ours, folder),
            },
            blocks,
            warm_up=0,
        )
    assert scores["ours"] == scores["stock"], scores
    return [
        {
            "case": case,
            "search": name,
            "trials": trials,
            "blocks": blocks,
            "best_score": round(max(scores[name]), 4),
            "trials_per_minute": round(
                60 * trials / float(np.median(seconds[name])), 1
            ),
            **times("stock", name, seconds, ""),
            "processor_seconds_a_trial": round(float(np.median(used[name])), 3),
            **times("stock", name, used, "processor_"),
            "machine": measure.machine(),
        }
        for name in ("stock", "ours")
    ]


def times(reference, name, seconds, prefix):
    """Returns the speed relative to the reference, with its interval."""
    found = measure.ratio(seconds[reference], seconds[name])
    names = ("times", "low", "high")
    return {
        f"{prefix}{n}": round(x, 2) for n, x in zip(names, found, strict=True)
    }


def in_process(one_thread, **arguments):
    """Starts this file again, for a part that needs a new process."""
    environment = dict(os.environ)
    if one_thread:
        threads = ("OMP_NUM_THREADS", "TF_NUM_INTRAOP_THREADS")
        names = (*threads, "TF_NUM_INTEROP_THREADS")
        environment.update(dict.fromkeys(names, "1"))
    command = [sys.executable, __file__, "--child", json.dumps(arguments)]
    return subprocess.Popen(
        command, env=environment, stdout=subprocess.PIPE, text=True
    )


def child(arguments):
    """Searches in a child process, and reports the peak memory."""
    space = {**CASES[arguments.pop("case")], "loss_weight/right": (0.1, 10.0)}
    search(space, name="child", tuner="random", **arguments)
    print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024)


def time_workers(workers, trials):
    """Measures the minutes per trial, once the workers have started."""
    ends = []
    with tempfile.TemporaryDirectory() as folder:
        journal = Path(folder) / "child" / FILE
        arguments = {"folder": folder, "workers": workers}
        case = "weights and rate"
        with in_process(True, case=case, trials=trials, **arguments) as process:
            while process.poll() is None:
                time.sleep(0.02)
                text = journal.read_text() if journal.is_file() else ""
                ended = text.count('"event": "end"')
                ends += [time.perf_counter()] * (ended - len(ends))
    assert process.returncode == 0 and len(ends) == trials
    return (ends[-1] - ends[STARTED - 1]) / (trials - STARTED) / 60


def measure_workers(blocks, trials=40):
    """Alternates searches by one worker and by two."""
    minutes = {1: [], 2: []}
    for _ in range(blocks):
        for workers in minutes:
            minutes[workers].append(time_workers(workers, trials))
    return [
        {
            "workers": workers,
            "trials": trials,
            "blocks": blocks,
            "trials_per_minute": round(1 / float(np.median(each)), 1),
            **times(1, workers, minutes, ""),
            "machine": measure.machine(),
        }
        for workers, each in minutes.items()
    ]


def measure_memory(case):
    """Returns the peak memory by number of trials."""
    rows = []
    for trials in (20, 200):
        with (
            tempfile.TemporaryDirectory() as folder,
            in_process(
                False, case=case, trials=trials, folder=folder
            ) as process,
        ):
            peak = int(process.stdout.read().split()[-1])
        rows.append({"case": case, "trials": trials, "peak_mib": peak})
    for row in rows:
        row["times"] = round(row["peak_mib"] / rows[0]["peak_mib"], 3)
        row["machine"] = measure.machine()
    return rows


def write(name, rows):
    """Writes rows, and keeps those of the cases that were not measured."""
    path = measure.RESULTS / f"{name}.csv"
    before = []
    if path.is_file():
        with open(path, newline="") as file:
            before = list(csv.DictReader(file))
    measured = {row["case"] for row in rows}
    kept = [row for row in before if row["case"] not in measured]
    measure.write(name, kept + rows)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--part", nargs="+", choices=PARTS, default=PARTS)
    parser.add_argument("--case", choices=list(CASES))
    parser.add_argument("--blocks", type=int, default=3)
    parser.add_argument("--child", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.child:
        child(json.loads(arguments.child))
        return
    for case in [arguments.case] if arguments.case else CASES:
        if "speed" in arguments.part:
            write("tuning", measure_speed(case, arguments.blocks))
        if "memory" in arguments.part:
            write("tuning_memory", measure_memory(case))
    if "workers" in arguments.part:
        measure.write("tuning_workers", measure_workers(arguments.blocks))


if __name__ == "__main__":
    main()
