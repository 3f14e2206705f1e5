"""Kills searches, starts them again and compares the trials.

    python benchmarks/faults_tuning.py [--rounds 10] [--kind NAME ...]

With `--kind`, the rows of the other kinds stay as they are in the results.

Processes are ended by SIGKILL:

- `worker`: one of two workers, in the middle of a trial. The search must end
  by itself;
- `chief`: the process that called `search`, of two workers, at a random
  moment. Its workers must end by themselves;
- `all`: a search without workers, at a random moment;
- `first trial`: the same, in the middle of the first trial;
- `write`: the same, while half of a line of the journal, or of another file,
  is on the disk.

Then the search is started again. It survives if it ends with all trials, none
of them failed; if what was in the journal before the kill is there as it was,
down to the seconds of each trial, and no trial comes to its end twice; if
proposals and scores are those of a search that was never disturbed (scores of
two workers to rounding); and if the weights of the best trial are there.
"""

from __future__ import annotations

import argparse
import csv
import json
import multiprocessing
import os
import signal
import sys
import tempfile
import time
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import keras
import measure
import numpy as np

import mtl_keras
from mtl_keras import tuning
from mtl_keras.tuning.journal import FILE, Journal

TRIALS, EPOCHS, STEPS = 7, 2, 3
KINDS = {"worker": 2, "chief": 2, "all": 1, "first trial": 1, "write": 1}
BOUND_SECONDS = 300
FORKS = multiprocessing.get_context("forkserver")


class Progress(keras.callbacks.Callback):
    """Writes down which process takes a step, slowly enough to aim."""

    def __init__(self, path):
        super().__init__()
        self.path = path

    def on_train_batch_begin(self, batch, logs=None):
        with open(self.path, "a") as file:
            file.write(f"{os.getpid()}\n")
        time.sleep(0.03)


def build(trunk_width=4, loss_weights=None, optimizer="adam", compile=True):
    """A small model, without a graph: a trial is over sooner."""
    model = mtl_keras.build_mlp(
        (6,), num_classes=3, hidden_units=(trunk_width,), compile=False
    )
    if compile:
        model.compile(optimizer, loss_weights=loss_weights, run_eagerly=True)
    return model


def slow_writes(writing) -> None:
    """Has each write wait when half of what it adds is on the disk."""
    sync = os.fsync

    def wait(number):
        sync(number)
        path = Path(os.readlink(f"/proc/self/fd/{number}"))
        if not path.is_file():  # the folder
            return
        whole = path.read_bytes()
        # The journal only grows, by a line; other files are new.
        begin = whole[:-1].rfind(b"\n") + 1 if path.name == FILE else 0
        os.truncate(path, (begin + len(whole)) // 2)
        writing.value += 1
        time.sleep(0.3)
        path.write_bytes(whole)
        sync(number)

    os.fsync = wait


def search(folder: Path, workers: int, writing=None) -> None:
    """Runs in a process of its own."""
    log = os.open(folder / "log", os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    os.dup2(log, 1)
    os.dup2(log, 2)
    if writing is not None:
        slow_writes(writing)
    rng = np.random.default_rng(0)
    x = rng.normal(size=(8 * STEPS, 6)).astype("float32")
    y = {"left": np.argmax(x[:, :3], 1), "right": np.argmax(x[:, 3:], 1)}
    study = tuning.search(
        build,
        {"loss_weight": (0.1, 10.0), "learning_rate": (1e-3, 1e-1)},
        (x, y),
        (x, y),
        objective="left_loss",
        # What it proposes does not depend on which trial ends first.
        tuner="random" if workers > 1 else "bayesian",
        max_trials=TRIALS,
        epochs=EPOCHS,
        batch_size=8,
        callbacks=[Progress(folder / "steps")],
        workers=workers,
        directory=folder,
        name="search",
    )
    study.best_model()
    found = [
        [trial.number, trial.status, trial.labels, trial.metrics]
        for trial in study.trials
    ]
    (folder / "found.json").write_text(json.dumps(found))


def start(folder: Path, workers: int, writing=None):
    """Starts a search."""
    process = FORKS.Process(target=search, args=(folder, workers, writing))
    process.start()
    return process


def finish(process) -> bool:
    """Waits for a process, and says whether it ended well and in time."""
    process.join(BOUND_SECONDS)
    if process.is_alive():
        process.kill()
    process.join()
    return process.exitcode == 0


def steps_of(folder: Path) -> list[int]:
    """The process that took each step so far."""
    path = folder / "steps"
    if not path.is_file():
        return []
    return [int(line) for line in path.read_text().split("\n")[:-1]]


def workers_of(pid: int) -> list[int]:
    """The workers of a search."""
    try:
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text()
        return [
            int(child)
            for child in children.split()
            if b"spawn_main" in Path(f"/proc/{child}/cmdline").read_bytes()
        ]
    except OSError:
        return []


def is_running(pid: int) -> bool:
    """Whether a process, that may not be a child of ours, is there."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rsplit(")")[1].split()[0]
    except OSError:
        return False
    return state != "Z"


def aim(kind, folder, process, writing, rng, seconds) -> int | None:
    """Waits for the moment to kill, and returns whom."""
    begun = time.monotonic()
    if kind in ("all", "chief"):
        # From the very start to the end.
        process.join(float(rng.uniform(0, seconds)))
        return process.pid if process.is_alive() else None
    least = {
        "worker": int(rng.integers(1, TRIALS * EPOCHS * STEPS)),
        "first trial": int(rng.integers(1, EPOCHS * STEPS + 1)),
        "write": int(rng.integers(1, 3 * TRIALS)),
    }[kind]
    while process.is_alive() and time.monotonic() - begun < BOUND_SECONDS:
        if kind == "write" and writing.value >= least:
            return process.pid
        steps = steps_of(folder)
        if kind != "write" and len(steps) >= least:
            return steps[-1]
        time.sleep(0.002)
    return None


def same(found, expected, exactly: bool) -> bool:
    """Whether two searches have the same trials."""
    if exactly:
        return found == expected
    return len(found) == len(expected) and all(
        one[:3] == other[:3]
        and all(np.isclose(one[3][n], other[3][n], 1e-4) for n in other[3])
        for one, other in zip(found, expected, strict=True)
    )


def one_round(kind: str, rng, expected, seconds) -> dict | None:
    """Kills a search once and starts it again; `None` if it ended before."""
    workers = KINDS[kind]
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        writing = FORKS.Value("i", 0) if kind == "write" else None
        process = start(folder, workers, writing)
        victim = aim(kind, folder, process, writing, rng, seconds)
        if victim is None:
            finish(process)
            return None
        children = workers_of(process.pid)
        os.kill(victim, signal.SIGKILL)
        killed_at = time.monotonic()
        (folder / "search").mkdir(exist_ok=True)
        if kind == "worker":
            before = []
            went_on = finish(process)
        else:
            process.join()
            while any(map(is_running, children)) and (
                time.monotonic() - killed_at < BOUND_SECONDS
            ):
                time.sleep(0.02)
            left = time.monotonic() - killed_at
            before = Journal(folder / "search").events
            went_on = not any(map(is_running, children))
            again = start(folder, workers)
            went_on &= finish(again)
        events = Journal(folder / "search").events
        path = folder / "found.json"
        found = json.loads(path.read_text()) if path.is_file() else []
        ended = [e["trial"] for e in events if e["event"] == "end"]
        outcome = {
            "went on": went_on,
            "kept": events[: len(before)] == before,
            "once": len(set(ended)) == len(ended) == TRIALS,
            "same": same(found, expected, exactly=workers == 1),
        }
        survived = all(outcome.values())
        print(kind, len(before), "events before,", outcome, flush=True)
        if not survived:
            print((folder / "log").read_text()[-3000:], file=sys.stderr)
        seconds = 0.0 if kind == "worker" else left
        return {"survived": survived, "seconds": seconds}


def undisturbed(workers: int):
    """What a search that nobody kills finds, and how long it takes."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        begun = time.monotonic()
        if not finish(start(folder, workers)):
            sys.exit((folder / "log").read_text())
        seconds = time.monotonic() - begun
        return json.loads((folder / "found.json").read_text()), seconds


def earlier_rows(kinds) -> list[dict]:
    """Rows of the kinds that were not tried this time."""
    path = measure.RESULTS / "faults_tuning.csv"
    if not path.is_file():
        return []
    with open(path, newline="") as file:
        return [r for r in csv.DictReader(file) if r["killed"] not in kinds]


def main() -> None:
    """Tries all kinds of faults and writes `results/faults_tuning.csv`."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=10)
    parser.add_argument("--kind", nargs="+", choices=KINDS, default=list(KINDS))
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    # Imported once, for all processes but the workers.
    FORKS.set_forkserver_preload(["mtl_keras.tuning"])
    known = {}
    for kind in arguments.kind:
        workers = KINDS[kind]
        if workers not in known:
            known[workers] = undisturbed(workers)
        rng = np.random.default_rng([arguments.seed, list(KINDS).index(kind)])
        outcomes = []
        while len(outcomes) < arguments.rounds:
            outcome = one_round(kind, rng, *known[workers])
            if outcome is not None:
                outcomes.append(outcome)
        row = {
            "killed": kind,
            "workers": workers if workers > 1 else 0,
            "survived": sum(each["survived"] for each in outcomes),
            "total": len(outcomes),
            "most_seconds_until_all_ended": round(
                max(each["seconds"] for each in outcomes), 1
            ),
            "machine": measure.machine(),
        }
        measure.write("faults_tuning", [*earlier_rows([kind]), row])


if __name__ == "__main__":
    main()
