"""Kills trainings at random, starts them again and compares the weights.

    python benchmarks/studies/faults.py [--single 20] [--two 10]

With 0 of a kind, the rows of that kind stay as they are in the results.

SIGKILL ends processes at a random step, or while a backup is being written;
with two processes the worker, the chief or both. A training survives if it
resumes from a backup when it is started again, and ends with the weights of an
undisturbed training, to the bit. The process that was not killed must end by
itself, with an error that names the killed one.
"""

from __future__ import annotations

import argparse
import contextlib
import csv
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

import keras
import measure
import numpy as np

import mtl_keras
from mtl_keras import distribution
from mtl_keras.processes import worker_environments

EPOCHS, STEPS, EVERY_STEPS = 4, 8, 3
# The first start finds no backup before that.
FIRST_KILL = EVERY_STEPS + 1
BOUND_SECONDS = 90
FORKS = multiprocessing.get_context("forkserver")


class Progress(keras.callbacks.Callback):
    """Reports the steps to the parent, slowly enough to aim a kill."""

    def __init__(self, steps):
        super().__init__()
        self.steps = steps

    def on_train_batch_begin(self, batch, logs=None):
        self.steps.value += 1
        time.sleep(0.02)


def slow_writes(writing) -> None:
    """Makes each write of a backup wait when half of it is on the disk."""
    sync = os.fsync

    def wait(number):
        sync(number)
        path = Path(os.readlink(f"/proc/self/fd/{number}"))
        if not path.is_file():  # the folder
            return
        whole = path.read_bytes()
        os.truncate(path, len(whole) // 2)
        writing.value += 1
        time.sleep(0.3)
        path.write_bytes(whole)
        sync(number)

    os.fsync = wait


def train(environment, folder, index, steps, writing, slow) -> None:
    """Trains in a separate process."""
    log = os.open(folder / f"{index}.log", os.O_WRONLY | os.O_CREAT)
    os.dup2(log, 1)
    os.dup2(log, 2)
    os.environ.update(environment)
    strategy = distribution.strategy("auto")
    keras.utils.set_random_seed(0)
    tasks = [
        mtl_keras.Classification("grade", 3),
        mtl_keras.Regression("price"),
    ]
    model = distribution.build(
        mtl_keras.build_mlp,
        strategy,
        input_shape=(6,),
        tasks=tasks,
        hidden_units=(8,),
        dropout=0.0 if "TF_CONFIG" in environment else 0.2,
    )
    rng = np.random.default_rng(0)
    x = rng.normal(size=(8 * STEPS, 6)).astype("float32")
    y = {"grade": rng.integers(3, size=len(x)), "price": x[:, 0]}
    backup = mtl_keras.BackupAndRestore(folder / "backup", EVERY_STEPS)
    if slow:
        slow_writes(writing)
    try:
        model.fit(
            x,
            y,
            batch_size=8,
            epochs=EPOCHS,
            verbose=0,
            callbacks=[backup, Progress(steps)],
        )
    except distribution.LostWorkerError as error:
        (folder / f"{index}.error").write_text(str(error))
        raise SystemExit(3) from None
    state = [*model.variables, *model.optimizer.variables]
    np.savez(
        folder / f"{index}.npz",
        restored=backup.restored_from or (0, 0),
        **{str(i): v.numpy() for i, v in enumerate(state)},
    )


def start(count: int, folder: Path, *, slow: bool = False):
    """Starts the processes of a training."""
    environments = [{}]
    if count > 1:
        needed = ("TF_CONFIG", "TF_NUM_INTRAOP_THREADS")
        environments = [
            {name: each[name] for name in needed if name in each}
            for each in worker_environments(count)
        ]
    counters = [FORKS.Value("i", 0) for _ in range(count)]
    writing = FORKS.Value("i", 0)
    processes = []
    for index, environment in enumerate(environments):
        arguments = (environment, folder, index, counters[index], writing, slow)
        processes.append(FORKS.Process(target=train, args=arguments))
        processes[-1].start()
    return processes, counters, writing


def finish(processes) -> bool:
    """Waits until all have ended; returns whether they did in time."""
    deadline = time.monotonic() + BOUND_SECONDS
    for process in processes:
        process.join(max(deadline - time.monotonic(), 0.1))
    in_time = not any(process.is_alive() for process in processes)
    for process in processes:
        with contextlib.suppress(ProcessLookupError):
            if process.is_alive():
                process.kill()
        process.join()
    return in_time


def results(folder: Path, count: int) -> list[dict]:
    """Returns the results if all processes have written theirs."""
    paths = [folder / f"{index}.npz" for index in range(count)]
    if not all(path.is_file() for path in paths):
        return []
    return [dict(np.load(path)) for path in paths]


def wait_for(value, least: int, processes) -> None:
    """Waits until a counter has reached a number."""
    while value.value < least and all(p.is_alive() for p in processes):
        time.sleep(0.002)


def trial(count: int, victims, when: str, rng, expected) -> dict:
    """Kills a training once and starts it again."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        processes, counters, writing = start(
            count, folder, slow=when == "write"
        )
        if when == "write":
            # The second write at the earliest: there is one to go back to.
            at = int(rng.integers(2, EPOCHS * STEPS // EVERY_STEPS))
            wait_for(writing, at, processes)
        else:
            at = int(rng.integers(FIRST_KILL + 1, EPOCHS * STEPS))
            wait_for(counters[0], at, processes)
            time.sleep(float(rng.uniform(0, 0.02)))
        for victim in victims:
            with contextlib.suppress(ProcessLookupError):  # told below
                os.kill(processes[victim].pid, signal.SIGKILL)
        killed_at = time.monotonic()
        in_time = finish(processes)
        seconds = time.monotonic() - killed_at
        killed = all(processes[v].exitcode == -9 for v in victims)
        named = all(
            f"orker {victims[0]} (" in path.read_text()
            for path in folder.glob("*.error")
        )
        told = len(list(folder.glob("*.error"))) == count - len(victims)

        processes, *kept = start(count, folder)
        in_time &= finish(processes)
        del kept
        found = results(folder, count)
        same = bool(found) and all(
            np.array_equal(each[name], expected[name])
            for each in found
            for name in expected
            if name != "restored"
        )
        restored = bool(found) and tuple(found[0]["restored"]) > (0, 0)
        outcome = {
            "killed": killed,
            "in time": in_time,
            "told": told and named,
            "restored": bool(restored),
            "same": same,
        }
        if not all(outcome.values()):
            keep = Path(tempfile.mkdtemp(prefix="fault-"))
            for log in folder.iterdir():
                (keep / log.name).write_bytes(log.read_bytes())
            print(f"kept in {keep}", file=sys.stderr)
        print(count, victims, when, at, outcome, f"{seconds:.1f} s", flush=True)
        return {"survived": all(outcome.values()), "seconds": seconds}


def undisturbed(count: int) -> dict:
    """Returns the result of a training that is not killed."""
    with tempfile.TemporaryDirectory() as name:
        processes, *kept = start(count, Path(name))
        assert finish(processes)
        del kept  # the processes have opened them
        found = results(Path(name), count)
        if not found:
            sys.exit((Path(name) / "0.log").read_text())
        return found[0]


def earlier_rows(found) -> list[dict]:
    """Returns rows of the kinds that were not tried this time."""
    path = measure.RESULTS / "faults.csv"
    if not path.is_file():
        return []
    tried = {str(count) for count, _, _ in found}
    with open(path, newline="") as file:
        return [r for r in csv.DictReader(file) if r["processes"] not in tried]


def main() -> None:
    """Runs all kinds of faults and writes `results/faults.csv`."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--single", type=int, default=20)
    parser.add_argument("--two", type=int, default=10)
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    # Imported once, for all processes.
    FORKS.set_forkserver_preload(["mtl_keras"])
    rng = np.random.default_rng(arguments.seed)
    plan = {
        1: (
            arguments.single,
            [
                ("all", (0,), "step"),
                ("all", (0,), "step"),
                ("all", (0,), "write"),
            ],
        ),
        2: (
            arguments.two,
            [
                ("worker", (1,), "step"),
                ("chief", (0,), "step"),
                ("all", (0, 1), "step"),
                ("chief", (0,), "write"),
            ],
        ),
    }
    found = {}
    for count, (trials, kinds) in plan.items():
        expected = undisturbed(count) if trials else None
        for number in range(trials):
            who, victims, when = kinds[number % len(kinds)]
            outcome = trial(count, victims, when, rng, expected)
            found.setdefault((count, who, when), []).append(outcome)
    rows = [
        {
            "processes": count,
            "killed": who,
            "during": when,
            "survived": sum(each["survived"] for each in outcomes),
            "total": len(outcomes),
            "most_seconds_until_all_ended": round(
                max(each["seconds"] for each in outcomes), 1
            ),
            "machine": measure.machine(),
        }
        for (count, who, when), outcomes in found.items()
    ]
    measure.write("faults", [*earlier_rows(found), *rows])


if __name__ == "__main__":
    main()
