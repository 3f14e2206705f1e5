"""A trial to train, and the executor that trains it in this process."""

from __future__ import annotations

import dataclasses
import time
import traceback
from typing import Any

import numpy as np

from mtl_keras.tuning.trial_record import COMPLETED, FAILED
from mtl_keras.tuning.trial_runner import TrialRunner

# The record for the journal, and the weights of a completed trial.
Result = tuple[dict, list[np.ndarray] | None]


@dataclasses.dataclass(frozen=True)
class TrialTask:
    """A trial to train.

    Args:
        trial_id: Number of the trial, as a string.
        seed_number: Number of the trial that determines the seeds.
        values: Dict from name of a hyperparameter to its value.
        epochs: Maximum number of epochs.
        labels: Labels of the values, for the journal.
    """

    trial_id: str
    seed_number: int
    values: dict[str, Any]
    epochs: int
    labels: dict[str, Any]


def run_task(task: TrialTask, runner: TrialRunner) -> Result:
    """Trains the models of a trial. A failure is also a result.

    Args:
        task: The trial.
        runner: The `TrialRunner`.

    Returns:
        The record of the trial, and its weights unless it failed.
    """
    started = time.monotonic()
    try:
        arguments = runner.hyper_model.arguments(task.values)
        record, weights = runner.run(task.seed_number, arguments, task.epochs)
    except Exception as error:  # the search continues after any failure
        reason = f"{type(error).__name__}: {error}\n{traceback.format_exc()}"
        return failure(reason, time.monotonic() - started), None
    return {"status": COMPLETED, **record}, weights


def failure(reason: str, seconds: float) -> dict:
    """Returns the record of a failed trial.

    Args:
        reason: Reason of the failure: a line, followed by details.
        seconds: Duration in seconds.
    """
    return {"status": FAILED, "reason": reason, "seconds": round(seconds, 3)}


class LocalExecutor:
    """Trains one trial at a time in this process.

    Args:
        runner: The `TrialRunner`.
    """

    def __init__(self, runner: TrialRunner):
        self.runner = runner
        self._tasks: list[TrialTask] = []

    @property
    def is_free(self) -> bool:
        """Checks whether another trial can start."""
        return not self._tasks

    def start(self, task: TrialTask) -> None:
        """Accepts a trial.

        Args:
            task: The trial.
        """
        self._tasks.append(task)

    def next_result(self) -> tuple[str, dict, list[np.ndarray] | None]:
        """Trains a trial, and returns its number, record and weights."""
        task = self._tasks.pop(0)
        return (task.trial_id, *run_task(task, self.runner))
