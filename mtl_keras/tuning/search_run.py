"""Runs a search in its folder, trial by trial."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from mtl_keras.tuning import pareto
from mtl_keras.tuning.hparams_log import log_hparams, remove_hparams
from mtl_keras.tuning.journal import Journal
from mtl_keras.tuning.objective import costs
from mtl_keras.tuning.oracles import ORACLE_PREFIX
from mtl_keras.tuning.repeated_failures import RepeatedFailures
from mtl_keras.tuning.search_history import SearchHistory, read_history
from mtl_keras.tuning.trial_record import COMPLETED, TrialRecord
from mtl_keras.tuning.trial_report import TrialReport
from mtl_keras.tuning.trial_runner import TrialRunner
from mtl_keras.tuning.trial_task import TrialTask
from mtl_keras.tuning.trial_weights import (
    drop_trial_weights,
    save_trial_weights,
)

# Files of a finished search, without the study file, which may be the user's.
RESULT_FILES = ("best.toml", "references.toml", "trials.csv")


class SearchRun:
    """A search in its folder.

    Args:
        folder: Folder of the search.
        settings: Settings of the search, see `describe_search`.
        fingerprint: Data, callbacks and factory, see `make_fingerprint`.
        oracle: The oracle, which proposes trials.
        runner: The `TrialRunner` of the trials.
        report: Shows the progress. Defaults to none.
    """

    def __init__(
        self,
        folder: Path,
        settings: Mapping,
        fingerprint: Mapping,
        oracle,
        runner: TrialRunner,
        *,
        report: TrialReport | None = None,
    ):
        self.folder = folder
        self.settings = dict(settings)
        self.fingerprint = dict(fingerprint)
        self.oracle = oracle
        self.runner = runner
        self.report = TrialReport() if report is None else report
        self.journal = Journal(folder)
        self.records: list[TrialRecord] = []
        # Trials that have not finished, by their number as a string.
        self._running: dict[str, object] = {}
        self.failures = RepeatedFailures()

    def restore(
        self,
        *,
        resume: bool,
        retry_failed: bool = False,
        overwrite: bool = False,
    ) -> None:
        """Restores the state of a search in the folder, or begins a new one.

        Until a trial has completed, a search that differs replaces the one in
        the folder.

        Args:
            resume: Whether to resume a search in the folder.
            retry_failed: Whether to run failed trials again, also with other
                callbacks or another factory. Defaults to `False`.
            overwrite: Whether to delete a search in the folder. Defaults to
                `False`.

        Raises:
            FileExistsError: If the folder holds a search and both `resume` and
                `overwrite` are false.
            ValueError: If the folder holds a search that differs.
        """
        if not self.journal.events:
            self.journal.append(self._first_event)
            return
        if overwrite:
            self._start_over()
            return
        if not resume:
            raise FileExistsError(
                f"The folder '{self.folder}' holds a search. Choose another "
                "name, pass resume=True to resume it, or overwrite=True to "
                "delete it."
            )
        history = read_history(self.journal.events)
        if not history.completed and history.has_changed(
            self.settings, self.fingerprint
        ):
            self.report.say(
                f"The search in '{self.folder}' differs and has no completed "
                "trial, so it starts over."
            )
            self._start_over()
            return
        history.check(
            self.folder,
            self.settings,
            self.fingerprint,
            retry_failed=retry_failed,
        )
        if retry_failed:
            self._record_retry(history)
        for event in self.journal.events[1:]:
            self._replay(event)
        for record in self.records:
            self.report.end(record)
            # A kill may have prevented the last one.
            log_hparams(self.folder, record)

    @property
    def _first_event(self) -> dict:
        return {
            "event": "study",
            "settings": self.settings,
            "fingerprint": self.fingerprint,
        }

    def _start_over(self) -> None:
        self.journal.restart(self._first_event)
        drop_trial_weights(self.folder, [])
        remove_hparams(self.folder)
        for name in RESULT_FILES:
            (self.folder / name).unlink(missing_ok=True)

    def _record_retry(self, history: SearchHistory) -> None:
        changes = history.code_changes(self.fingerprint)
        if not changes and not history.failed:
            return
        self.journal.append(
            {
                "event": "retry",
                "trials": list(history.failed),
                "changes": changes,
                "fingerprint": self.fingerprint,
            }
        )
        for change in changes:
            self.report.say(f"changed since the first trials: {change}")

    def _replay(self, event: Mapping) -> None:
        if event["event"] == "reference":
            self.runner.references[event["task"]] = event["value"]
        elif event["event"] == "begin":
            self._propose(event["labels"])
        elif event["event"] == "end":
            self._finish(event["trial"], event["record"])
        else:
            self._retry(event["trials"])

    def _retry(self, trials: Sequence[str]) -> None:
        for trial_id in trials:
            self._running[trial_id] = self.oracle.trials[trial_id]
            remove_hparams(self.folder, int(trial_id))
        again = set(map(int, trials))
        self.records = [r for r in self.records if r.number not in again]

    def run_trials(self, max_trials: int | None, epochs: int, executor) -> None:
        """Runs trials up to their number, or until the oracle has no more.

        It stops after `FAILURE_LIMIT` equal failures in a row.

        Args:
            max_trials: Number of trials, or `None` for all of the oracle.
            epochs: Maximum number of epochs of a trial.
            executor: Trains the trials: a `LocalExecutor`, `TrialWorkers` or
                `RemoteWorkers`.
        """
        waiting = list(self._running)  # interrupted by a kill, or failed
        while True:
            while executor.is_free:
                trial_id = waiting.pop(0) if waiting else self._next(max_trials)
                if trial_id is None:
                    break
                self._start(trial_id, epochs, executor)
            if not self._running:
                return
            result = executor.next_result()
            if result is None:  # a worker has joined
                continue
            trial_id, record, weights = result
            if weights is not None:
                save_trial_weights(self.folder, int(trial_id), weights)
            self.journal.append(
                {"event": "end", "trial": trial_id, "record": record}
            )
            self._finish(trial_id, record)
            self._drop_weights()
            log_hparams(self.folder, self.records[-1])
            self.report.end_now(self.records[-1])
            self.failures.add(trial_id, record)
            if self.failures.has_reached_limit:
                return

    def _next(self, max_trials: int | None) -> str | None:
        """Proposes and records a trial; returns `None` if there is none."""
        if max_trials is not None and len(self.oracle.trials) >= max_trials:
            return None
        trial_id = self._propose()
        if trial_id is not None:
            labels = self._running[trial_id].hyperparameters.values
            self.journal.append(
                {"event": "begin", "trial": trial_id, "labels": labels}
            )
        return trial_id

    def _propose(self, recorded: Mapping | None = None) -> str | None:
        # An oracle gives each of its workers one trial at a time.
        worker = f"trial {len(self.oracle.trials)}"
        trial = self.oracle.propose(worker, recorded)
        if trial is None:
            return None
        self._running[trial.trial_id] = trial
        return trial.trial_id

    def _start(self, trial_id: str, epochs: int, executor) -> None:
        labels = self._running[trial_id].hyperparameters.values
        self.report.begin(int(trial_id), remove_oracle_entries(labels))
        executor.start(
            TrialTask(
                trial_id,
                seed_number=self._first_trial(trial_id),
                values=self.runner.hyper_model.space.values_from_labels(labels),
                epochs=labels.get(f"{ORACLE_PREFIX}epochs", epochs),
                labels=labels,
            )
        )

    def _first_trial(self, trial_id: str) -> int:
        """Returns the trial that Hyperband promoted this one from."""
        while True:
            labels = self.oracle.trials[trial_id].hyperparameters.values
            before = labels.get(f"{ORACLE_PREFIX}trial_id")
            if before is None:
                return int(trial_id)
            trial_id = before

    def _finish(self, trial_id: str, record: Mapping) -> None:
        trial = self._running.pop(trial_id)
        labels = remove_oracle_entries(trial.hyperparameters.values)
        hyper_model = self.runner.hyper_model
        values = hyper_model.space.values_from_labels(labels)
        self.records.append(
            TrialRecord(
                number=int(trial.trial_id),
                values=values,
                labels=labels,
                loss_weights=hyper_model.arguments(values).loss_weights,
                **record,
            )
        )
        found = None
        if record["status"] == COMPLETED:
            found = costs(record["objectives"], self.runner.objectives)
        self.oracle.finish(trial_id, record["status"], found)

    def _drop_weights(self) -> None:
        done = [record for record in self.records if record.completed]
        if not done:
            return
        objectives = self.runner.objectives
        points = np.array([costs(r.objectives, objectives) for r in done])
        kept = pareto.non_dominated(points)
        drop_trial_weights(
            self.folder,
            [r.number for r, on in zip(done, kept, strict=True) if on],
        )


def remove_oracle_entries(labels: Mapping) -> dict:
    """Removes the entries that Hyperband adds to the values of a trial.

    Args:
        labels: Dict from name to label, as in KerasTuner.
    """
    return {n: v for n, v in labels.items() if not n.startswith(ORACLE_PREFIX)}
