"""The part `kills` of `tuning_peers.py`."""

from __future__ import annotations

import json
import multiprocessing
import os
import signal
import sys
import tempfile
import time
from pathlib import Path

sys.path.append(str(Path(__file__).parents[1]))

import keras
import measure
import numpy as np
from optuna.trial import TrialState
from tuning_peers_searches import (
    FIXED,
    OURS,
    SAMPLERS,
    SPACE,
    Scores,
    build,
    open_study,
    search,
)

from mtl_keras.tuning.journal import FILE

KILLS = 10
EAGER = {name: SPACE[name] for name in SPACE if name not in FIXED}
FORKS = multiprocessing.get_context("forkserver")


class Slow(keras.callbacks.Callback):
    """Makes a trial last long enough to be killed."""

    def on_train_batch_begin(self, batch, logs=None):
        time.sleep(0.01)


def build_eagerly(
    trunk_width=8, loss_weights=None, optimizer="adam", compile=True
):
    """Returns a model that runs eagerly, because tracing takes longer."""
    model = build(trunk_width, compile=False)
    if compile:
        model.compile(optimizer, loss_weights=loss_weights, run_eagerly=True)
    return model


def go_on(folder, name, trials):
    """Starts or resumes a search, in a separate process."""
    fit = {"epochs": 1, "batch_size": 200, "callbacks": [Slow()]}
    if name == OURS:
        search(folder, 0, build_eagerly, EAGER, max_trials=trials, **fit)
        return
    study = open_study(folder, name, 0)
    done = sum(trial.state == TrialState.COMPLETE for trial in study.trials)
    score = Scores(0, build_eagerly, EAGER, **fit)
    study.optimize(score, n_trials=trials - done)


def begun_and_ended(folder, name):
    """Returns the numbers of begun trials, and the values of ended ones."""
    if name == OURS:
        path = Path(folder) / "search" / FILE
        content = path.read_text() if path.is_file() else ""
        # An incomplete line does not count.
        events = [json.loads(line) for line in content.split("\n")[:-1]]
        begun = [e["trial"] for e in events if e["event"] == "begin"]
        ended = [e for e in events if e["event"] == "end"]
        return begun, {e["trial"]: e["record"]["objectives"] for e in ended}
    trials = open_study(folder, name, 0).trials
    complete = [t for t in trials if t.state == TrialState.COMPLETE]
    return [t.number for t in trials], {t.number: t.values for t in complete}


def kill_in_a_trial(folder, name, trials, rng):
    """Starts a search, and kills it in the middle of a trial."""
    before, _ = begun_and_ended(folder, name)
    process = FORKS.Process(target=go_on, args=(folder, name, trials))
    process.start()
    # `tuning.search` repeats the trial that was running, then begins another.
    while process.is_alive():
        if len(begun_and_ended(folder, name)[0]) > len(before):
            break
        time.sleep(0.02)
    process.join(float(rng.uniform(0, 0.3)))
    assert process.is_alive(), "the search ended before it was killed"
    os.kill(process.pid, signal.SIGKILL)
    process.join()


def measure_kills(name, trials=30):
    """Kills a search ten times, and then lets it end."""
    rng = np.random.default_rng(0)
    known = {}
    with tempfile.TemporaryDirectory() as folder:
        for _ in range(KILLS):
            kill_in_a_trial(folder, name, trials, rng)
            known |= begun_and_ended(folder, name)[1]
        process = FORKS.Process(target=go_on, args=(folder, name, trials))
        process.start()
        process.join()
        begun, ended = begun_and_ended(folder, name)
    return {
        "search": name,
        "trials": trials,
        "kills": KILLS,
        "ended": len(ended),
        "begun": len(begun),
        "never_ended": len(set(begun) - set(ended)),
        "forgotten": sum(ended.get(n) != v for n, v in known.items()),
        "machine": measure.machine(),
    }


def compare_kills():
    """Returns a row for each search."""
    # Imported once, for all processes.
    FORKS.set_forkserver_preload(["tuning_peers_kills"])
    return [measure_kills(name) for name in (OURS, *SAMPLERS)]
