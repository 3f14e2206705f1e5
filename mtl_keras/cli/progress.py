"""The progress of a training: a bar in a terminal, lines in a log file."""

from __future__ import annotations

import math

import keras
from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TextColumn,
    TimeRemainingColumn,
)

LINES_IN_A_LOG = 10


class EpochProgress(keras.callbacks.Callback):
    """Shows the epoch, the loss and each task's primary metric.

    Args:
        title: Stands before the bar.
        console: Where to. One that is no terminal gets ten lines or so for
            the whole training.
    """

    async_safe = True
    # Of several workers, one shows it (see `select_worker_callbacks`).
    chief_only = True

    def __init__(self, title: str, console: Console):
        super().__init__()
        self._title = title
        self._console = console
        self._bar = Progress(
            TextColumn("epoch"),
            BarColumn(bar_width=16),
            MofNCompleteColumn(),
            TimeRemainingColumn(),
            TextColumn("{task.fields[metrics]}"),
            console=console,
            disable=not console.is_terminal,
        )
        self._bar_task = self._bar.add_task(title, metrics="")

    def on_train_begin(self, logs=None) -> None:
        """Shows the title and the empty bar."""
        if self._console.is_terminal:
            self._console.print(f"Training {self._title}")
        self._bar.update(self._bar_task, total=self.params["epochs"])
        self._bar.start()

    def on_epoch_end(self, epoch: int, logs=None) -> None:
        """Moves the bar, or writes a line."""
        epochs = self.params["epochs"]
        metrics = self._metrics(logs or {})
        self._bar.update(self._bar_task, completed=epoch + 1, metrics=metrics)
        step = math.ceil(epochs / LINES_IN_A_LOG)
        if not self._console.is_terminal and (
            (epoch + 1) % step == 0 or epoch + 1 == epochs
        ):
            line = f"{self._title}: epoch {epoch + 1}/{epochs}  {metrics}"
            self._console.print(line, soft_wrap=True, highlight=False)

    def on_train_end(self, logs=None) -> None:
        """Leaves the bar as it is."""
        self._bar.stop()

    def stop(self) -> None:
        """Stops the bar of a training that did not come to its end."""
        self._bar.stop()

    def _metrics(self, logs) -> str:
        # Of the validation part; short, to fit beside the bar.
        texts = [f"loss {logs['val_loss']:.4g}"]
        for task in self.model.tasks:
            key = f"val_{task.name}_{task.primary_metric}"
            if key in logs:
                texts.append(f"{task.name} {logs[key]:.4g}")
        return "  ".join(texts)
