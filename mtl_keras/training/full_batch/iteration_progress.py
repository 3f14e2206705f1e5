"""A progress display for iterations."""

from __future__ import annotations

import keras


class IterationProgress(keras.callbacks.Callback):
    """Shows the losses of each iteration as a progress bar or as lines.

    Keras would show one bar per epoch, with all metrics, which is too much for
    many iterations.

    Args:
        verbose: 1 for a bar, 2 for one line per iteration.
    """

    def __init__(self, verbose: int):
        super().__init__()
        self._verbose = verbose
        self._bar = None
        self._done = 0

    def on_epoch_end(self, epoch: int, logs=None) -> None:
        """Shows the losses of an iteration."""
        total = self.params["epochs"]
        losses = _sort_losses(logs or {})
        self._done = epoch + 1
        if self._verbose == 2:
            shown = "".join(f" - {k}: {v:.4g}" for k, v in losses.items())
            print(f"Iteration {self._done}/{total}{shown}")
            return
        if self._bar is None:
            self._bar = keras.utils.Progbar(
                total, stateful_metrics=list(losses), unit_name="iteration"
            )
        self._bar.update(self._done, list(losses.items()))

    def on_train_end(self, logs=None) -> None:
        """Ends the line of an incomplete bar."""
        if self._bar is not None and self._done < self.params["epochs"]:
            self._bar.update(self._done, finalize=True)


def _sort_losses(logs: dict) -> dict[str, float]:
    """Returns `loss`, `val_loss`, then the task losses."""
    total = {k: logs[k] for k in ("loss", "val_loss") if k in logs}
    task_losses = {k: v for k, v in logs.items() if k.endswith("_loss")}
    return total | task_losses
