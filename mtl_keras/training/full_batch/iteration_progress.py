"""Progress of a run whose epochs are iterations."""

from __future__ import annotations

import keras


class IterationProgress(keras.callbacks.Callback):
    """Shows the losses of iterations: a bar that updates itself, or lines.

    Keras's own bar is one for each epoch, which are many here, and shows the
    metrics too, which would not fit into a line.

    Args:
        verbose: 1 for a bar, 2 for a line for each iteration.
    """

    def __init__(self, verbose: int):
        super().__init__()
        self._verbose = verbose
        self._bar = None
        self._done = 0

    def on_epoch_end(self, epoch: int, logs=None) -> None:
        """Shows an iteration with its losses."""
        total = self.params["epochs"]
        losses = _losses_first_to_last(logs or {})
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
        """Ends the line of a bar that did not come to its end."""
        if self._bar is not None and self._done < self.params["epochs"]:
            self._bar.update(self._done, finalize=True)


def _losses_first_to_last(logs: dict) -> dict[str, float]:
    """`loss`, `val_loss`, and then those of the tasks."""
    total = {k: logs[k] for k in ("loss", "val_loss") if k in logs}
    of_tasks = {k: v for k, v in logs.items() if k.endswith("_loss")}
    return total | of_tasks
