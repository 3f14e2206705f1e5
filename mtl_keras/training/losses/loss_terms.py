"""Logs of the terms of compound losses: `<task>_<term>_loss`."""

from __future__ import annotations

from collections.abc import Collection

import keras

from mtl_keras.training.losses.epoch_losses import TotalLoss
from mtl_keras.training.losses.task_losses import TaskLosses


class LossTerms(keras.metrics.Metric):
    """Logs the terms of the losses of tasks with `log_loss_terms=True`.

    The values are the sums that `TotalLoss` already has, so that they are
    exact with missing labels and on several replicas, and cost nothing per
    step.

    Args:
        losses: The losses of the tasks.
        total: The metric that has the sums.
        other_logs: Names of all other logs.

    Raises:
        ValueError: If the loss of such a task has one term, or a name is in
            `other_logs`.
    """

    def __init__(
        self, losses: TaskLosses, total: TotalLoss, other_logs: Collection[str]
    ):
        super().__init__(name="loss_terms")
        tasks = {task.name: task for task in losses.tasks}
        self.positions = {
            f"{name}_{term}_loss": (row, column)
            for row, name in enumerate(losses.names)
            if tasks[name].log_loss_terms
            for column, term in enumerate(_term_names(name, losses))
        }
        for log in self.positions:
            if log in other_logs:
                raise ValueError(
                    f"log_loss_terms=True logs {log!r}, which is also another "
                    "log of the model. Rename the task or the metric that has "
                    "this name."
                )
        # In a function, so that Keras does not track its variables twice.
        self._term_means = lambda: total.term_means()

    def update_state(self, *args, **kwargs) -> None:
        """Does nothing: `TotalLoss` is updated."""

    def reset_state(self) -> None:
        """Does nothing: `TotalLoss` is reset."""

    def result(self) -> dict:
        """Returns a dict from `<task>_<term>_loss` to a scalar."""
        means = self._term_means()
        return {log: means[place] for log, place in self.positions.items()}


def _term_names(task: str, losses: TaskLosses) -> tuple[str, ...]:
    loss = losses.losses[task]
    names = getattr(loss, "term_names", ())
    if not names:
        raise ValueError(
            f"Task {task!r}: log_loss_terms=True, but its loss {loss.name!r} "
            "has one term. Leave the argument out, or use a loss with "
            "term_names, such as mtl_keras.losses.CrossentropyDice."
        )
    return names
