"""Stops training when a loss is NaN or infinite."""

from __future__ import annotations

import math

import keras


class NonFiniteLossError(ValueError):
    """A loss became NaN or infinite during training."""


class StopOnNonFiniteLoss(keras.callbacks.Callback):
    """Raises an error at the first step whose loss is not finite.

    `MultiTaskModel.fit` adds this callback. Unlike
    `keras.callbacks.TerminateOnNaN`, it names the task.

    Raises:
        NonFiniteLossError: If a loss is NaN or infinite.
    """

    # Lets Keras run the callback while the next step runs.
    async_safe = True

    def __init__(self):
        super().__init__()
        self._epoch = 0

    def on_epoch_begin(self, epoch: int, logs=None) -> None:
        """Stores the epoch for the error message."""
        self._epoch = epoch

    def on_train_batch_end(self, batch: int, logs=None) -> None:
        """Checks the losses, which are running means: NaN remains NaN."""
        self._check(logs, f"in epoch {self._epoch + 1}, at step {batch + 1}")

    def on_epoch_end(self, epoch: int, logs=None) -> None:
        """Checks the losses of all replicas."""
        self._check(logs, f"in epoch {epoch + 1}")

    def _check(self, logs, where: str) -> None:
        loss = (logs or {}).get("loss")
        if self.model.non_finite == "skip":
            return
        if loss is None or math.isfinite(loss):
            return
        tasks = [task.name for task in self.model.tasks]
        non_finite = {
            task: float(logs[f"{task}_loss"])
            for task in tasks
            if not math.isfinite(logs.get(f"{task}_loss", 0.0))
        }
        if non_finite:
            named = ", ".join(
                f"{task!r} ({value})" for task, value in non_finite.items()
            )
            what = f"The loss of task {named} became non-finite {where}"
        else:
            what = f"The total loss became {float(loss)} {where}"
        raise NonFiniteLossError(
            f"{what}. {self._describe_weights()} Lower the learning rate, clip "
            "the gradients (clipnorm=1.0 in the optimizer), or scale the "
            "targets."
        )

    def _describe_weights(self) -> str:
        if self.model.compiled_parts.checks_finite_updates:
            return "The step was skipped."
        return (
            "The weights are corrupted: restore the last checkpoint of a "
            "keras.callbacks.ModelCheckpoint."
        )
