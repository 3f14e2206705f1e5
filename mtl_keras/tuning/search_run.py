"""Runs a search in its folder, trial by trial."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np

from mtl_keras.tuning import pareto
from mtl_keras.tuning.hparams_log import log_hparams
from mtl_keras.tuning.journal import Journal
from mtl_keras.tuning.objective import DELTA_M, costs
from mtl_keras.tuning.oracles import ORACLE_PREFIX
from mtl_keras.tuning.search_settings import differences
from mtl_keras.tuning.single_task_references import train_reference
from mtl_keras.tuning.trial_record import COMPLETED, TrialRecord
from mtl_keras.tuning.trial_report import TrialReport
from mtl_keras.tuning.trial_runner import TrialRunner
from mtl_keras.tuning.trial_task import TrialTask
from mtl_keras.tuning.trial_weights import (
    drop_trial_weights,
    save_trial_weights,
)


class SearchRun:
    """A search in its folder.

    Args:
        folder: Folder of the search.
        settings: Settings of the search, see `describe_search`.
        oracle: The oracle, which proposes trials.
        runner: The `TrialRunner` of the trials.
        report: Shows the progress. Defaults to none.
    """

    def __init__(
        self,
        folder: Path,
        settings: Mapping,
        oracle,
        runner: TrialRunner,
        *,
        report: TrialReport | None = None,
    ):
        self.folder = folder
        self.settings = dict(settings)
        self.oracle = oracle
        self.runner = runner
        self.report = TrialReport() if report is None else report
        self.journal = Journal(folder)
        self.records: list[TrialRecord] = []
        # Trials that have not finished, by their number as a string.
        self._running: dict[str, object] = {}

    def restore(self, *, resume: bool) -> None:
        """Restores the state of a search in the folder, or begins a new one.

        Args:
            resume: Whether to resume a search in the folder.

        Raises:
            FileExistsError: If the folder holds a search and `resume` is
                false.
            ValueError: If the folder holds a search with other settings.
        """
        events = list(self.journal.events)
        if not events:
            self.journal.append({"event": "study", "settings": self.settings})
            return
        if not resume:
            raise FileExistsError(
                f"The folder '{self.folder}' holds a search. Choose another "
                "name, or pass resume=True to resume it."
            )
        found = differences(events[0]["settings"], self.settings)
        if found:
            raise ValueError(
                f"The folder '{self.folder}' holds another search: "
                f"{'; '.join(found)}. Choose another name, or restore the "
                "settings."
            )
        for event in events[1:]:
            if event["event"] == "reference":
                self.runner.references[event["task"]] = event["value"]
            elif event["event"] == "begin":
                self._propose(event["labels"])
            else:
                self._finish(event["trial"], event["record"])
                self.report.end(self.records[-1])
        for record in self.records:
            log_hparams(
                self.folder, record
            )  # a kill may have prevented the last one

    def find_references(
        self, given: Mapping[str, float] | None, epochs: int
    ) -> None:
        """Trains the single-task models that gains are relative to.

        Args:
            given: Dict from task to the metric of its single-task model, or
                `None` to train these models.
            epochs: Maximum number of epochs.

        Raises:
            ValueError: If `given` has other tasks than the model.
        """
        runner = self.runner
        if DELTA_M not in [objective.name for objective in runner.objectives]:
            return
        if given is not None:
            different = set(runner.hyper_model.tasks) ^ set(given)
            if different:
                raise ValueError(
                    f"references={dict(given)!r} and the tasks "
                    f"{list(runner.hyper_model.tasks)} differ in "
                    f"{sorted(different)}; expected a number for each task."
                )
            runner.references.update(given)
            return
        known, runner.references = runner.references, {}
        for task in runner.hyper_model.default_model.tasks:
            if task.name not in known:
                value = train_reference(runner, task, epochs)
                known[task.name] = value
                self.journal.append(
                    {"event": "reference", "task": task.name, "value": value}
                )
                name = f"{task.name}_{task.primary_metric}"
                self.report.say(f"single-task reference  {name}={value:.5g}")
        runner.references = known

    def run_trials(self, max_trials: int | None, epochs: int, executor) -> None:
        """Runs trials up to their number, or until the oracle has no more.

        Args:
            max_trials: Number of trials, or `None` for all of the oracle.
            epochs: Maximum number of epochs of a trial.
            executor: Trains the trials: a `LocalExecutor`, `TrialWorkers` or
                `RemoteWorkers`.
        """
        for trial_id in self._running:  # interrupted by a kill
            self._start(trial_id, epochs, executor)
        while True:
            while executor.is_free:
                trial_id = self._next(max_trials)
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
