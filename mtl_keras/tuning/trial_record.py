"""What is known of a trial."""

from __future__ import annotations

import dataclasses
from typing import Any

COMPLETED, FAILED = "completed", "failed"


@dataclasses.dataclass(frozen=True)
class TrialRecord:
    """A trial that has ended.

    Args:
        number: Its number, from 0, in order of beginning.
        values: Values of the hyperparameters, by name.
        labels: The same as KerasTuner and the journal have them.
        loss_weights: Weights of the losses by task, if the space has them.
        status: `"completed"` or `"failed"`.
        objectives: Values of the objectives by name, means over executions
            and folds; empty if it failed.
        metrics: All validation metrics of the best epoch, the same.
        deviations: Standard deviations of the objectives over executions and
            folds.
        epochs: Best epoch, counted from 1: mean over executions and folds.
        seconds: Time that it took.
        reason: Why it failed.
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
        """Whether it counts; a trial that failed never does."""
        return self.status == COMPLETED

    def as_row(self) -> dict[str, Any]:
        """Returns it flat, for a table."""
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
