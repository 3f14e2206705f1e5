"""Compares `tuning.search` with Optuna: trade-offs, speed, and kills.

Run it with a Python that has both this package and Optuna:

    python -m venv peers
    peers/bin/pip install -e . optuna==5.0.0
    peers/bin/python benchmarks/studies/tuning_peers.py [--part NAME ...]
        [--search NAME ...] [--seed N ...]

Parts:

- `hypervolume`: the dominated volume after 40 trials, over five seeds. All
  propose points of the same space for the same two objectives, and the same
  code trains them on reused models, so only the proposals differ;
- `speed`: trials per minute. Optuna's objective builds, compiles and fits a
  model, as in its documentation;
- `kills`: ten kills of a search at random moments, each followed by another
  start. A trial is lost if it began and never ended.

Optuna uses its journal storage in all parts. With `--search` or `--seed`, the
results of the others stay as they are.
"""

from __future__ import annotations

import argparse
import csv
import os
import sys
import tempfile
import time
from pathlib import Path

sys.path.append(str(Path(__file__).parents[1]))

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "1")

import keras
import measure
import numpy as np
from tuning_peers_kills import compare_kills
from tuning_peers_searches import (
    EPOCHS,
    OBJECTIVES,
    OURS,
    SAMPLERS,
    TRAIN,
    TRIALS,
    VALIDATION,
    Scores,
    build,
    open_study,
    propose,
    search,
)

from mtl_keras.tuning import pareto
from mtl_keras.tuning.objective import Objective, costs

# Chance, which every trial should be better than.
REFERENCE = {name: 1 / 3 for name in OBJECTIVES}
PARTS = ("hypervolume", "speed", "kills")


def hypervolume(points) -> float:
    """Computes the hypervolume of points, relative to chance."""
    objectives = [Objective(name, "max") for name in OBJECTIVES]
    values = [dict(zip(OBJECTIVES, each, strict=True)) for each in points]
    return pareto.hypervolume(
        np.array([costs(each, objectives) for each in values]),
        costs(REFERENCE, objectives),
    )


def measure_hypervolume(name, seed):
    """Runs the search of one of them, from one seed."""
    started = time.process_time()
    with tempfile.TemporaryDirectory() as folder:
        if name == OURS:
            trials = search(folder, seed).completed
            points = [list(trial.objectives.values()) for trial in trials]
        else:
            study = open_study(folder, name, seed)
            study.optimize(Scores(seed), n_trials=TRIALS)
            points = [trial.values for trial in study.trials]
    used = (time.process_time() - started) / TRIALS
    return {
        "search": name,
        "seed": seed,
        "trials": len(points),
        "hypervolume": round(hypervolume(points), 5),
        "processor_seconds_a_trial": round(used, 3),
    }


def summary(rows):
    """Computes means over common seeds, and differences by seed."""
    volumes = {name: {} for name in (OURS, *SAMPLERS)}
    for row in rows:
        volumes[row["search"]][row["seed"]] = row["hypervolume"]
    seeds = sorted(set.intersection(*map(set, volumes.values())))
    found = []
    for name, by_seed in volumes.items():
        each = [by_seed[seed] for seed in seeds]
        ahead = [volumes[OURS][seed] - by_seed[seed] for seed in seeds]
        found.append(
            {
                "search": name,
                "trials": TRIALS,
                "seeds": len(seeds),
                "hypervolume": round(float(np.mean(each)), 4),
                "deviation": deviation(each),
                "ours_ahead": round(float(np.mean(ahead)), 4),
                "deviation_ahead": deviation(ahead),
                "seeds_ahead": sum(value > 0 for value in ahead),
                "machine": measure.machine(),
            }
        )
    return found if seeds else []


def deviation(values) -> float:
    """Returns the standard deviation; 0 of one value."""
    return round(float(np.std(values, ddof=len(values) > 1)), 4)


def fit_plainly(trial):
    """Trains a trial as a user of Optuna would."""
    keras.backend.clear_session()
    values = propose(trial)
    ratio = values["loss_weight/right"]
    model = build(
        values["trunk_width"],
        {"left": 2 / (1 + ratio), "right": 2 * ratio / (1 + ratio)},
        keras.optimizers.Adam(values["learning_rate"]),
    )
    history = model.fit(
        *TRAIN, validation_data=VALIDATION, epochs=EPOCHS, verbose=0
    ).history
    return [max(history[f"val_{name}"]) for name in OBJECTIVES]


def measure_speed(blocks, trials=20):
    """Alternates searches, each from the start."""
    used = {}
    seeds = iter(range(1000))

    def run(name):
        started = time.process_time()
        with tempfile.TemporaryDirectory() as folder:
            if name == OURS:
                search(folder, next(seeds), max_trials=trials)
            else:
                study = open_study(folder, name, next(seeds))
                study.optimize(fit_plainly, n_trials=trials)
        each = (time.process_time() - started) / trials
        used.setdefault(name, []).append(each)

    arms = {n: lambda n=n: run(n) for n in (OURS, "optuna tpe")}
    seconds = measure.alternate(arms, blocks, warm_up=0)
    rows = []
    for name, each in seconds.items():
        middle, low, high = measure.ratio(seconds["optuna tpe"], each)
        per_minute = 60 * trials / float(np.median(each))
        processor = measure.ratio(used["optuna tpe"], used[name])[0]
        rows.append(
            {
                "search": name,
                "trials": trials,
                "blocks": blocks,
                "trials_per_minute": round(per_minute, 1),
                "times": round(middle, 2),
                "low": round(low, 2),
                "high": round(high, 2),
                "processor_times": round(processor, 2),
                "machine": measure.machine(),
            }
        )
    return rows


def earlier_rows():
    """Returns the searches that were measured before."""
    path = measure.RESULTS / "tuning_peers_seeds.csv"
    if not path.is_file():
        return []
    with open(path, newline="") as file:
        rows = list(csv.DictReader(file))
    numbers = {"seed": int, "hypervolume": float}
    return [
        row | {n: kind(row[n]) for n, kind in numbers.items()} for row in rows
    ]


def write_hypervolume(row):
    """Writes a search beside the others, and the summary."""
    key = ("search", "seed")
    rows = [
        each
        for each in earlier_rows()
        if [each[n] for n in key] != [row[n] for n in key]
    ]
    rows = sorted([*rows, row], key=lambda each: (each["seed"], each["search"]))
    measure.write("tuning_peers_seeds", rows)
    found = summary(rows)
    if found:
        measure.write("tuning_peers", found)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--part", nargs="+", choices=PARTS, default=PARTS)
    searches = (OURS, *SAMPLERS)
    parser.add_argument(
        "--search", nargs="+", choices=searches, default=searches
    )
    parser.add_argument("--seed", nargs="+", type=int, default=range(5))
    parser.add_argument("--blocks", type=int, default=3)
    arguments = parser.parse_args()
    if "hypervolume" in arguments.part:
        for seed in arguments.seed:
            for name in arguments.search:
                write_hypervolume(measure_hypervolume(name, seed))
    if "speed" in arguments.part:
        measure.write("tuning_peers_speed", measure_speed(arguments.blocks))
    if "kills" in arguments.part:
        measure.write("tuning_peers_kills", compare_kills())


if __name__ == "__main__":
    main()
