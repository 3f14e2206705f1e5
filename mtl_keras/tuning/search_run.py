"""The course of a search: what has happened, and what comes next."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np

from mtl_keras.tuning import pareto
from mtl_keras.tuning.hparams_log import log_hparams
from mtl_keras.tuning.journal import Journal
from mtl_keras.tuning.objective import DELTA_M, costs
from mtl_keras.tuning.oracles import OWN_PREFIX
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
        settings: What it is for, see `describe_search`.
        oracle: Proposes trials.
        runner: Trains their models.
        report: Shows what happens. Defaults to nothing.
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
        # Trials that have begun and not ended, by their number as a text.
        self._begun: dict[str, object] = {}

    def go_on(self, *, resume: bool) -> None:
        """Tells the oracle what has happened, or begins anew.

        Args:
            resume: Whether a search that is there may go on.

        Raises:
            FileExistsError: If there is one and it may not.
            ValueError: If it is for something else.
        """
        events = list(self.journal.events)
        if not events:
            self.journal.append({"event": "study", "settings": self.settings})
            return
        if not resume:
            raise FileExistsError(
                f"The folder '{self.folder}' holds a search. Choose another "
                "name, or pass resume=True to go on with it."
            )
        found = differences(events[0]["settings"], self.settings)
        if found:
            raise ValueError(
                f"The folder '{self.folder}' holds another search: "
                f"{'; '.join(found)}. Choose another name, or search as before."
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
            log_hparams(self.folder, record)  # one that a kill prevented

    def find_references(
        self, given: Mapping[str, float] | None, epochs: int
    ) -> None:
        """Trains the single-task models that gains are relative to.

        Args:
            given: Their metrics by task, if they are known.
            epochs: Most epochs.
        """
        runner = self.runner
        if DELTA_M not in [objective.name for objective in runner.objectives]:
            return
        if given is not None:
            lacking = set(runner.hyper_model.tasks) ^ set(given)
            if lacking:
                raise ValueError(
                    f"references={dict(given)!r} and the tasks "
                    f"{list(runner.hyper_model.tasks)} differ in "
                    f"{sorted(lacking)}; expected a number for each task."
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

    def run_trials(self, most: int | None, epochs: int, crew) -> None:
        """Runs trials until there are enough, or no more to try.

        Args:
            most: Number of trials, or `None` for all that the oracle has.
            epochs: Most epochs of a trial.
            crew: Who trains: an `InProcess`, `TrialWorkers` or
                `RemoteWorkers`.
        """
        for trial_id in self._begun:  # before a kill
            self._start(trial_id, epochs, crew)
        while True:
            while crew.is_free:
                trial_id = self._next(most)
                if trial_id is None:
                    break
                self._start(trial_id, epochs, crew)
            if not self._begun:
                return
            result = crew.next_result()
            if result is None:  # a worker more
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

    def _next(self, most: int | None) -> str | None:
        """Proposes a trial, and writes it down; `None` if there is none."""
        if most is not None and len(self.oracle.trials) >= most:
            return None
        trial_id = self._propose()
        if trial_id is not None:
            labels = self._begun[trial_id].hyperparameters.values
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
        self._begun[trial.trial_id] = trial
        return trial.trial_id

    def _start(self, trial_id: str, epochs: int, crew) -> None:
        labels = self._begun[trial_id].hyperparameters.values
        self.report.begin(int(trial_id), without_own(labels))
        crew.start(
            TrialTask(
                trial_id,
                seed_number=self._first_of(trial_id),
                values=self.runner.hyper_model.space.values_of(labels),
                epochs=labels.get(f"{OWN_PREFIX}epochs", epochs),
                labels=labels,
            )
        )

    def _first_of(self, trial_id: str) -> int:
        """The trial that Hyperband promoted this one from, for its seed."""
        while True:
            labels = self.oracle.trials[trial_id].hyperparameters.values
            before = labels.get(f"{OWN_PREFIX}trial_id")
            if before is None:
                return int(trial_id)
            trial_id = before

    def _finish(self, trial_id: str, record: Mapping) -> None:
        trial = self._begun.pop(trial_id)
        labels = without_own(trial.hyperparameters.values)
        hyper_model = self.runner.hyper_model
        values = hyper_model.space.values_of(labels)
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


def without_own(labels: Mapping) -> dict:
    """Leaves out what Hyperband adds to the values of a trial.

    Args:
        labels: Values by name, as KerasTuner has them.
    """
    return {n: v for n, v in labels.items() if not n.startswith(OWN_PREFIX)}
