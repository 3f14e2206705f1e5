"""The best weights so far, and what a run needs to go on after a stop."""

from __future__ import annotations

import csv
import dataclasses
import math
import time
from pathlib import Path

import keras
import numpy as np

from mtl_keras.spelling import did_you_mean
from mtl_keras.training.backups.atomic_file import remove_partial
from mtl_keras.training.backups.backup_file import read_backup, write_backup

FILE = "backup.npz"


@dataclasses.dataclass(frozen=True)
class RunState:
    """Where a run is after its last complete epoch.

    Args:
        epoch: Number of complete epochs.
        best_epoch: The epoch with the least loss, counted from 1.
        best_loss: That loss.
        seconds: Time spent on all epochs.
        history: Dict from name to one number for each epoch.
        last: Values of all variables after the last epoch.
        best: The same after the best epoch.
    """

    epoch: int = 0
    best_epoch: int = 0
    best_loss: float = math.inf
    seconds: float = 0.0
    history: dict[str, list[float]] = dataclasses.field(default_factory=dict)
    last: list[np.ndarray] = dataclasses.field(default_factory=list)
    best: list[np.ndarray] = dataclasses.field(default_factory=list)


class RunCheckpoint(keras.callbacks.Callback):
    """Keeps the best and the last state of a run, and ends it in time.

    It does the work of Keras's `ModelCheckpoint`, `EarlyStopping` and
    `BackupAndRestore`, because these three start from nothing when a run is
    resumed: the best loss so far, the epochs waited and the history would be
    lost. States are kept in memory at each epoch and written every few
    seconds, since writing a file takes longer than an epoch of a small model.

    Args:
        folder: Folder of the run.
        patience: Epochs to wait for a lower `monitor`, or `None` for ever.
        monitor: What the best epoch has least of. Defaults to `"val_loss"`.
        seconds_between_writes: Least time between two backups. Defaults to
            `10`.
        writes: Whether to write at all; of several workers, the chief does.
            Defaults to `True`.
    """

    async_safe = True

    def __init__(
        self,
        folder: Path,
        *,
        patience: int | None = None,
        monitor: str = "val_loss",
        seconds_between_writes: float = 10,
        writes: bool = True,
    ):
        super().__init__()
        self.path = folder / FILE
        self.patience = patience
        self.monitor = monitor
        self.seconds_between_writes = seconds_between_writes
        self.writes = writes
        self.state = RunState()
        self._written_at = self._counted_at = time.monotonic()

    @property
    def finished_early(self) -> bool:
        """Whether the patience is at its end."""
        waited = self.state.epoch - self.state.best_epoch
        return self.patience is not None and waited >= self.patience

    def on_train_begin(self, logs=None) -> None:
        """Starts the clock."""
        self._written_at = self._counted_at = time.monotonic()

    def on_epoch_end(self, epoch: int, logs=None) -> None:
        """Takes the state of the model, and writes it from time to time."""
        logs = {key: float(value) for key, value in (logs or {}).items()}
        if self.monitor not in logs:
            raise ValueError(
                f"monitor={self.monitor!r} is not among the logs. "
                f"{did_you_mean(self.monitor, logs)}"
            )
        now = time.monotonic()
        # One assignment, so that an interruption finds a whole state.
        self.state = self._next_state(epoch + 1, logs, now - self._counted_at)
        self._counted_at = now
        if self.finished_early:
            self.model.stop_training = True
        if now - self._written_at >= self.seconds_between_writes:
            self.write()

    def _next_state(self, epoch: int, logs: dict, seconds: float) -> RunState:
        before = self.state
        last = [v.numpy() for v in _variables(self.model)]
        state = dataclasses.replace(
            before,
            epoch=epoch,
            seconds=before.seconds + seconds,
            history={
                key: [*before.history.get(key, []), value]
                for key, value in logs.items()
            },
            last=last,
        )
        if before.best and logs[self.monitor] >= before.best_loss:
            return state
        loss = logs[self.monitor]
        return dataclasses.replace(
            state, best_epoch=epoch, best_loss=loss, best=last
        )

    def write(self) -> None:
        """Writes the backup, if an epoch is complete; atomically.

        Raises:
            BackupError: If it cannot be written. The one before is intact.
        """
        state = self.state
        if not state.epoch or not self.writes:
            return
        arrays = {f"last_{i}": array for i, array in enumerate(state.last)}
        if state.best is not state.last:
            arrays |= {f"best_{i}": array for i, array in enumerate(state.best)}
        numbers = {
            field.name: getattr(state, field.name)
            for field in dataclasses.fields(state)
            if field.name not in ("last", "best")
        }
        write_backup(self.path, numbers, arrays)
        write_history(state.history, self.path.with_name("history.csv"))
        self._written_at = time.monotonic()

    def restore(self, model: keras.Model) -> None:
        """Brings a model to where the backup was made, if there is one.

        Args:
            model: A compiled model of the same recipe.

        Raises:
            ValueError: If the backup is damaged or of another model.
        """
        if self.writes:
            remove_partial(self.path)  # of a write that was killed
        if not self.path.is_file():
            return
        try:
            backup = read_backup(self.path)
            last = _numbered(backup.arrays, "last")
            best = _numbered(backup.arrays, "best") or last
            self.state = RunState(**backup.facts, last=last, best=best)
            _assign(model, last)
        except Exception as error:
            raise ValueError(
                f"'{self.path}' is damaged or of another model: {error}. Start "
                "the run anew, with overwrite."
            ) from error

    def restore_best(self, model: keras.Model) -> None:
        """Assigns the weights of the best epoch to a model."""
        _assign(model, self.state.best)


def write_history(history: dict[str, list[float]], path: Path) -> None:
    """Writes a history as csv: a row for each epoch, counted from 1.

    Args:
        history: Dict from name to one number for each epoch.
        path: Path of the file.
    """
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(["epoch", *history])
        for epoch, row in enumerate(zip(*history.values(), strict=True), 1):
            writer.writerow([epoch, *row])


def _variables(model: keras.Model) -> list[keras.Variable]:
    """All that a step reads or writes, but for metrics and dropout seeds."""
    return [
        *model.weights,
        *model.optimizer.variables,
        *model.loss_weights.variables_by_task.values(),
        *(model.weighting.variables if model.weighting is not None else ()),
    ]


def _assign(model: keras.Model, arrays: list[np.ndarray]) -> None:
    model.build_optimizer()
    for variable, array in zip(_variables(model), arrays, strict=True):
        variable.assign(array)


def _numbered(arrays, prefix: str) -> list[np.ndarray]:
    names = [name for name in arrays if name.startswith(f"{prefix}_")]
    return [arrays[f"{prefix}_{index}"] for index in range(len(names))]
