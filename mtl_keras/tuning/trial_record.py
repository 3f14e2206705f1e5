"""The record of a finished trial."""

from __future__ import annotations

import dataclasses
from typing import Any

COMPLETED, FAILED = "completed", "failed"


@dataclasses.dataclass(frozen=True)
class TrialRecord:
    """A finished trial.

    Args:
        number: Number of the trial, from 0, in the order in which they began.
        values: Dict from name of a hyperparameter to its value.
        labels: Dict from name of a hyperparameter to its label, which
            represents the value in KerasTuner and the journal.
        loss_weights: Dict from task to loss weight, or `None` if the space has
            none.
        status: `"completed"` or `"failed"`.
        objectives: Dict from objective to its value, averaged over executions
            and folds. It is empty for a failed trial.
        metrics: Dict from validation metric to its value in the best epoch,
            averaged in the same way.
        deviations: Dict from objective to its standard deviation over
            executions and folds.
        epochs: Best epoch, from 1, averaged over executions and folds.
        seconds: Duration in seconds.
        reason: Reason of the failure, with the traceback.
    """

    number: int
    values: dict[str, Any]
    labels: dict[str, Any]
    loss_weights: dict[str, float] | None = None
    status: str = COMPLETED
    objectives: dict[str, float] = dataclasses.field(default_factory=dict)
    metrics: dict[str, float] = dataclasses.field(default_factory=dict)
    deviations: dict[str, float] = dataclasses.field(default_factory=dict)
    epochs: float = 0.0
    seconds: float = 0.0
    reason: str = ""

    @property
    def completed(self) -> bool:
        """Checks whether the trial did not fail."""
        return self.status == COMPLETED

    def as_row(self) -> dict[str, Any]:
        """Returns the trial as a flat dict, for a table."""
        weights = self.loss_weights or {}
        return {
            "trial": self.number,
            "status": self.status,
            **self.objectives,
            **{f"{name}_std": v for name, v in self.deviations.items()},
            **self.labels,
            **{f"weight/{task}": w for task, w in weights.items()},
            **self.metrics,
            "epochs": self.epochs,
            "seconds": self.seconds,
            "reason": self.reason.splitlines()[0] if self.reason else "",
        }
