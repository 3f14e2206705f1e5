"""Detects that trials fail again and again for the same reason."""

from __future__ import annotations

from collections.abc import Mapping

from mtl_keras.tuning.trial_record import COMPLETED

# A search stops after this number of equal failures in a row.
FAILURE_LIMIT = 3


class RepeatedFailuresError(RuntimeError):
    """Raised if a search stops after equal failures in a row."""


class RepeatedFailures:
    """Counts equal failures in a row.

    Two failures are equal if the first lines of their reasons are.
    """

    def __init__(self):
        self._trials: list[int] = []
        self._reason = ""

    def add(self, trial_id: str, record: Mapping) -> None:
        """Counts the result of a trial.

        Args:
            trial_id: Number of the trial, as a string.
            record: The record of the trial.
        """
        if record["status"] == COMPLETED:
            self._trials = []
            return
        reason = record["reason"].partition("\n")[0]
        if reason != self._reason:
            self._trials = []
        self._trials.append(int(trial_id))
        self._reason = reason

    @property
    def has_reached_limit(self) -> bool:
        """Checks whether the search must stop."""
        return len(self._trials) >= FAILURE_LIMIT

    def error(self) -> RepeatedFailuresError:
        """Creates the error of a search that has other completed trials."""
        reason = self._reason.rstrip(".")
        trials = ", ".join(map(str, self._trials))
        return RepeatedFailuresError(
            f"The search stopped: the trials {trials} failed "
            f"with the same error, {reason}. Correct the cause, and "
            "search again with retry_failed=True, which keeps the completed "
            "trials and runs the failed ones again. Without it, the search "
            "continues with the next trial."
        )
