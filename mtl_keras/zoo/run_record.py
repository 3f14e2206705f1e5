"""How a run has gone so far: its history and the time it took."""

from __future__ import annotations

import csv
import io
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

import keras

from mtl_keras.distribution import is_chief
from mtl_keras.training.backups.atomic_file import write_text_atomically


class RunRecord(keras.callbacks.Callback):
    """Counts the seconds of a run, and writes its history after each epoch.

    A run that is resumed goes on counting: backups hold the seconds.

    Args:
        path: Path of the history, a csv file.
    """

    async_safe = True

    def __init__(self, path: Path):
        super().__init__()
        self.path = path
        self.seconds = 0.0

    def on_train_begin(self, logs=None) -> None:
        """Starts the clock."""
        self._counted_at = time.monotonic()

    def on_epoch_end(self, epoch: int, logs=None) -> None:
        """Counts the epoch, and writes the history with it."""
        now = time.monotonic()
        self.seconds += now - self._counted_at
        self._counted_at = now
        if is_chief(self.model.distribute_strategy):
            # Keras's `History` is told of the epoch after all others.
            before = self.model.history.history
            history = {
                name: [*before.get(name, ()), value]
                for name, value in (logs or {}).items()
            }
            _write_history(history, self.path)

    def get_backup_state(self) -> dict[str, float]:
        """Returns what a backup holds."""
        return {"seconds": self.seconds}

    def set_backup_state(self, state: Mapping[str, float]) -> None:
        """Takes what a backup held."""
        self.seconds = state["seconds"]


def _write_history(history: Mapping[str, Sequence[float]], path: Path) -> None:
    """Writes a history as csv: a row for each epoch, counted from 1."""
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(["epoch", *history])
    for epoch, row in enumerate(zip(*history.values(), strict=True), 1):
        writer.writerow([epoch, *map(float, row)])
    # Ctrl-C may come at any line.
    write_text_atomically(path, text.getvalue())
