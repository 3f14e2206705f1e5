"""The search that `faults_tuning.py` kills."""

from __future__ import annotations

import json
import os
import time
from pathlib import Path

import keras
import numpy as np

import mtl_keras
from mtl_keras import tuning
from mtl_keras.tuning.journal import FILE

TRIALS, EPOCHS, STEPS = 7, 1, 3


class Progress(keras.callbacks.Callback):
    """Records which process takes a step, slowly enough to aim a kill."""

    def __init__(self, path):
        super().__init__()
        self.path = path

    def on_train_batch_begin(self, batch, logs=None):
        with open(self.path, "a") as file:
            file.write(f"{os.getpid()}\n")
        time.sleep(0.03)


def build(trunk_width=4, loss_weights=None, optimizer="adam", compile=True):
    """Returns a small model, without a graph: a trial is over sooner."""
    model = mtl_keras.build_mlp(
        (6,), num_classes=3, hidden_units=(trunk_width,), compile=False
    )
    if compile:
        model.compile(optimizer, loss_weights=loss_weights, run_eagerly=True)
    return model


def slow_writes(writing) -> None:
    """Makes each write wait when half of it is on the disk."""
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
    """Searches in a separate process."""
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
