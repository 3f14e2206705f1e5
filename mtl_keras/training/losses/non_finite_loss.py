"""Stops a run whose loss is NaN or infinite, and says where it began."""

from __future__ import annotations

import math

import keras


class NonFiniteLossError(ValueError):
    """A loss became NaN or infinite during training."""


class StopOnNonFiniteLoss(keras.callbacks.Callback):
    """Raises an error at the first step whose loss is not finite.

    `MultiTaskModel.fit` adds one to its callbacks. Keras's `TerminateOnNaN`
    does the same for the total loss; this one names the task.

    Raises:
        NonFiniteLossError: Once the loss of a batch was NaN or infinite.
    """

    # Lets Keras run it beside the next step, as it does without callbacks.
    async_safe = True

    def __init__(self):
        super().__init__()
        self._epoch = 0

    def on_epoch_begin(self, epoch: int, logs=None) -> None:
        """Remembers the epoch for the message."""
        self._epoch = epoch

    def on_train_batch_end(self, batch: int, logs=None) -> None:
        """Looks at the losses, which are running means: NaN stays NaN."""
        self._check(logs, f"in epoch {self._epoch + 1}, at step {batch + 1}")

    def on_epoch_end(self, epoch: int, logs=None) -> None:
        """Looks once more: logs of a batch are those of one replica."""
        self._check(logs, f"in epoch {epoch + 1}")

    def _check(self, logs, where: str) -> None:
        loss = (logs or {}).get("loss")
        if self.model.non_finite == "skip":
            return
        if loss is None or math.isfinite(loss):
            return
        tasks = [task.name for task in self.model.tasks]
        broken = {
            task: float(logs[f"{task}_loss"])
            for task in tasks
            if not math.isfinite(logs.get(f"{task}_loss", 0.0))
        }
        if broken:
            named = ", ".join(
                f"{task!r} ({value})" for task, value in broken.items()
            )
            what = f"The loss of task {named} became non-finite {where}"
        else:
            what = f"The total loss became {float(loss)} {where}"
        raise NonFiniteLossError(
            f"{what}. {self._state_of_weights()} Lower the learning rate, clip "
            "the gradients (clipnorm=1.0 in the optimizer), or scale the "
            "targets."
        )

    def _state_of_weights(self) -> str:
        if self.model.compiled_parts.guards_steps:
            return "That step was not taken."
        return (
            "The weights are spoilt: restore the last good ones from a "
            "keras.callbacks.ModelCheckpoint."
        )
