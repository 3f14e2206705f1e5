"""Kills searches, starts them again and compares the trials.

    python benchmarks/studies/faults_tuning.py [--rounds 10] [--kind NAME ...]

With `--kind`, the rows of the other kinds stay as they are in the results.

SIGKILL ends one of these processes:

- `worker`: one of two workers, in the middle of a trial. The search must end
  by itself;
- `chief`: the process that called `search`, with two workers, at a random
  moment. Its workers must end by themselves;
- `all`: a search without workers, at a random moment;
- `first trial`: the same, in the middle of the first trial;
- `write`: the same, while half of a line of the journal, or of another file,
  is on the disk.

Then the search is started again. It survives if it ends with all trials and
none of them failed; if the journal still has its events from before the kill,
down to the seconds of each trial, and no trial ends twice; if proposals and
scores equal those of an undisturbed search (scores of two workers to rounding);
and if the weights of the best trial exist.
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

sys.path.append(str(Path(__file__).parents[1]))

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "1")

import measure
import numpy as np
from faults_tuning_search import EPOCHS, STEPS, TRIALS, search

from mtl_keras.tuning.journal import Journal

KINDS = {"worker": 2, "chief": 2, "all": 1, "first trial": 1, "write": 1}
# On a busy machine, workers take a minute or two to import TensorFlow.
BOUND_SECONDS = 1200
FORKS = multiprocessing.get_context("forkserver")


def start(folder: Path, workers: int, writing=None):
    """Starts a search."""
    process = FORKS.Process(target=search, args=(folder, workers, writing))
    process.start()
    return process


def finish(process) -> bool:
    """Waits for a process; returns whether it ended well and in time."""
    process.join(BOUND_SECONDS)
    if process.is_alive():
        print("It has not ended after", BOUND_SECONDS, "s.", file=sys.stderr)
        process.kill()
    process.join()
    return process.exitcode == 0


def step_processes(folder: Path) -> list[int]:
    """Returns the process that took each step so far."""
    path = folder / "steps"
    lines = path.read_text().split("\n")[:-1] if path.is_file() else []
    return [int(line) for line in lines]


def search_workers(pid: int) -> list[int]:
    """Returns the workers of a search."""
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
    """Returns whether a process runs, which may not be a child of this one."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rsplit(")")[1].split()[0]
    except OSError:
        return False
    return state != "Z"


def aim(kind, folder, process, writing, rng, seconds) -> int | None:
    """Waits for the moment to kill; returns the process."""
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
        if kind != "write" and len(steps := step_processes(folder)) >= least:
            return steps[-1]
        time.sleep(0.002)
    return None


def same(found, expected, exactly: bool) -> bool:
    """Checks whether two searches have the same trials."""
    if exactly:
        return found == expected
    return len(found) == len(expected) and all(
        one[:3] == other[:3]
        and all(np.isclose(one[3][n], other[3][n], 1e-4) for n in other[3])
        for one, other in zip(found, expected, strict=True)
    )


def recover(kind: str, folder: Path, process, children):
    """Resumes a search that was killed.

    Returns:
        Whether it ended well, the events before it was started again, and the
        seconds until all processes of the first start had ended.
    """
    if kind == "worker":
        return finish(process), [], 0.0
    killed_at = time.monotonic()
    process.join()
    while any(map(is_running, children)) and (
        time.monotonic() - killed_at < BOUND_SECONDS
    ):
        time.sleep(0.02)
    seconds = time.monotonic() - killed_at
    (folder / "search").mkdir(exist_ok=True)
    before = Journal(folder / "search").events
    all_ended = not any(map(is_running, children))
    ended_well = finish(start(folder, KINDS[kind]))
    return all_ended and ended_well, before, seconds


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
        children = search_workers(process.pid)
        os.kill(victim, signal.SIGKILL)
        went_on, before, left = recover(kind, folder, process, children)
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
        return {"survived": survived, "seconds": left}


def undisturbed(workers: int):
    """Returns the trials of a search that is not killed, and its time."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        begun = time.monotonic()
        if not finish(start(folder, workers)):
            sys.exit((folder / "log").read_text())
        seconds = time.monotonic() - begun
        return json.loads((folder / "found.json").read_text()), seconds


def write(kind: str, outcomes: list[dict]) -> None:
    """Writes the results of a kind so far, and keeps those of other kinds."""
    path, before = measure.RESULTS / "faults_tuning.csv", []
    if path.is_file():
        with open(path, newline="") as file:
            before = [r for r in csv.DictReader(file) if r["killed"] != kind]
    row = {
        "killed": kind,
        "processes": 1 if KINDS[kind] == 1 else 1 + KINDS[kind],
        "survived": sum(each["survived"] for each in outcomes),
        "total": len(outcomes),
        "most_seconds_until_all_ended": round(
            max(each["seconds"] for each in outcomes), 1
        ),
        "machine": measure.machine(),
    }
    measure.write("faults_tuning", [*before, row])


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
                write(kind, outcomes)


if __name__ == "__main__":
    main()
