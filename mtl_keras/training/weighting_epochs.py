"""Tells a weighting of the end of each epoch."""

from __future__ import annotations

import keras
import numpy as np


class WeightingEpochs(keras.callbacks.Callback):
    """Hands the mean losses of an epoch to the weighting of the model.

    `MultiTaskModel.fit` adds one to its callbacks.
    """

    # Lets Keras run other callbacks beside the next step.
    async_safe = True

    def on_epoch_end(self, epoch: int, logs=None) -> None:
        """Weights the epoch's losses as the user does, and hands them over."""
        weighting = self.model.weighting
        losses = [
            self.model.loss_weights[task] * logs[f"{task}_loss"]
            for task in weighting.task_names
        ]
        weighting.on_epoch_end(np.asarray(losses, "float32"))
