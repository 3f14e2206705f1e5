"""A trial that is to be trained, and training it in this process."""

from __future__ import annotations

import dataclasses
import time
import traceback
from typing import Any

import numpy as np

from mtl_keras.tuning.trial_record import COMPLETED, FAILED
from mtl_keras.tuning.trial_runner import TrialRunner

# A record as the journal has it, and the weights of a trial that completed.
Result = tuple[dict, list[np.ndarray] | None]


@dataclasses.dataclass(frozen=True)
class TrialTask:
    """A trial that is to be trained.

    Args:
        trial_id: Its number, as a text.
        seed_number: Number of the trial from which its seeds follow.
        values: Values of the hyperparameters, by name.
        epochs: Most epochs.
        labels: The values as the journal has them.
    """

    trial_id: str
    seed_number: int
    values: dict[str, Any]
    epochs: int
    labels: dict[str, Any]


def run_task(task: TrialTask, runner: TrialRunner) -> Result:
    """Trains the models of a trial; a failure is a result too.

    Args:
        task: The trial.
        runner: Trains its models.
    """
    started = time.monotonic()
    try:
        arguments = runner.hyper_model.arguments(task.values)
        record, weights = runner.run(task.seed_number, arguments, task.epochs)
    except Exception as error:  # any reason: the search goes on
        reason = f"{type(error).__name__}: {error}\n{traceback.format_exc()}"
        return failure(reason, time.monotonic() - started), None
    return {"status": COMPLETED, **record}, weights


def failure(reason: str, seconds: float) -> dict:
    """Makes the record of a trial that failed.

    Args:
        reason: Why, in a line and then in detail.
        seconds: Time that it took.
    """
    return {"status": FAILED, "reason": reason, "seconds": round(seconds, 3)}


class InProcess:
    """Trains one trial at a time, in this process.

    Args:
        runner: Trains the models.
    """

    def __init__(self, runner: TrialRunner):
        self.runner = runner
        self._tasks: list[TrialTask] = []

    @property
    def is_free(self) -> bool:
        """Whether another trial can start."""
        return not self._tasks

    def start(self, task: TrialTask) -> None:
        """Takes a trial.

        Args:
            task: The trial.
        """
        self._tasks.append(task)

    def next_result(self) -> tuple[str, dict, list[np.ndarray] | None]:
        """Trains one, and returns its number, record and weights."""
        task = self._tasks.pop(0)
        return (task.trial_id, *run_task(task, self.runner))
