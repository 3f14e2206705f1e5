"""Notifies the weighting at the end of each epoch."""

from __future__ import annotations

import keras
import numpy as np


class WeightingCallback(keras.callbacks.Callback):
    """Passes the mean losses of an epoch to the weighting of the model.

    `MultiTaskModel.fit` adds this callback.

    Raises:
        ValueError: If the weighting requires positive losses and a loss is
            negative.
    """

    # Lets Keras run other callbacks while the next step runs.
    async_safe = True

    def on_train_batch_end(self, batch: int, logs=None) -> None:
        """Checks for negative losses if the weighting does not support them."""
        weighting = self.model.weighting
        if not weighting.positive_losses:
            return
        for task in weighting.task_names:
            loss = float((logs or {}).get(f"{task}_loss", 0.0))
            if loss < 0:
                raise ValueError(
                    f"Task {task!r}: the loss is {loss:.4g} at step "
                    f"{batch + 1}, and {type(weighting).__name__} requires "
                    "positive losses. Choose another weighting (see "
                    "mtl_keras.weighting.table()), or a loss of 0 or more."
                )

    def on_epoch_end(self, epoch: int, logs=None) -> None:
        """Passes the mean losses, times the loss weights, to the weighting."""
        weighting = self.model.weighting
        losses = [
            self.model.loss_weights[task] * logs[f"{task}_loss"]
            for task in weighting.task_names
        ]
        weighting.on_epoch_end(np.asarray(losses, "float32"))
