"""Tells a weighting of the end of each epoch, and checks what it is given."""

from __future__ import annotations

import keras
import numpy as np


class WeightingEpochs(keras.callbacks.Callback):
    """Hands the mean losses of an epoch to the weighting of the model.

    `MultiTaskModel.fit` adds one to its callbacks.

    Raises:
        ValueError: If the weighting takes logarithms or roots, and a loss is
            negative.
    """

    # Lets Keras run other callbacks beside the next step.
    async_safe = True

    def on_train_batch_end(self, batch: int, logs=None) -> None:
        """Looks for negative losses, where the weighting can take none."""
        weighting = self.model.weighting
        if not weighting.positive_losses:
            return
        for task in weighting.task_names:
            loss = float((logs or {}).get(f"{task}_loss", 0.0))
            if loss < 0:
                raise ValueError(
                    f"Task {task!r}: its loss is {loss:.4g} at step "
                    f"{batch + 1}, and {type(weighting).__name__} needs "
                    "positive losses. Choose another weighting (see "
                    "mtl_keras.weighting.table()), or a loss of 0 or more."
                )

    def on_epoch_end(self, epoch: int, logs=None) -> None:
        """Weights the epoch's losses as the user does, and hands them over."""
        weighting = self.model.weighting
        losses = [
            self.model.loss_weights[task] * logs[f"{task}_loss"]
            for task in weighting.task_names
        ]
        weighting.on_epoch_end(np.asarray(losses, "float32"))
