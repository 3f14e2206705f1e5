"""Keras's compiled losses, with a tracker also where there is one task."""

from __future__ import annotations

import keras

# Not public: `tests/training/test_task_losses.py` says when Keras changes it.
from keras.src.trainers.compile_utils import CompileLoss


class TaskLosses(CompileLoss):
    """Logs `<task>_loss` for one task as Keras does for several.

    Keras leaves the loss of a single output out of the logs, because it takes
    it to equal the total. The total has the task's weight and the
    regularization in it, and a history whose keys depend on the number of
    tasks cannot be compared.
    """

    def build(self, y_true, y_pred) -> None:
        """Makes the trackers once the structure of the targets is known."""
        super().build(y_true, y_pred)
        if len(self._flat_losses) == 1:
            name = self._flat_losses[0].name
            self._tracker.add_to_store(
                "metrics", keras.metrics.Mean(name=f"{name}_loss")
            )
