"""What came out of a search."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import keras
import numpy as np

from mtl_keras.training.backups.atomic_file import write_atomically
from mtl_keras.tuning import pareto
from mtl_keras.tuning.best_recipe import best_recipe
from mtl_keras.tuning.importance import Importance, importance
from mtl_keras.tuning.make_hyper_model import HyperModel
from mtl_keras.tuning.objective import Objective, costs
from mtl_keras.tuning.read_study import FILE
from mtl_keras.tuning.study_file import holds_study_file, study_text
from mtl_keras.tuning.study_recipe import StudyRecipe
from mtl_keras.tuning.trial_record import TrialRecord
from mtl_keras.tuning.trial_weights import load_trial_weights
from mtl_keras.zoo.toml_text import toml_text


class AllTrialsFailedError(RuntimeError):
    """No trial of a search came to its end."""


class Study:
    """The trials of a search, and what they say.

    `mtl_keras.tuning.search` returns one.

    Args:
        folder: Folder of the search.
        settings: What was searched, for `study.toml`.
        objectives: The objectives.
        trials: The trials that ended, in order of beginning.
        hyper_model: Builds their models.
        references: Metrics of single-task models, by task, for `delta_m`.
        recipe: The study file that it came from, if it did.
        load_model: Loads the model of a trial. Defaults to that of a search.
    """

    def __init__(
        self,
        folder: Path,
        settings: Mapping,
        objectives: Sequence[Objective],
        trials: Sequence[TrialRecord],
        hyper_model: HyperModel,
        references: Mapping[str, float],
        *,
        recipe: StudyRecipe | None = None,
        load_model: Callable[[TrialRecord], keras.Model] | None = None,
    ):
        self.folder = folder
        self.settings = dict(settings)
        self.objectives = tuple(objectives)
        self.trials = list(trials)
        self.references = dict(references)
        self.recipe = recipe
        self._hyper_model = hyper_model
        self._load_model = load_model

    @classmethod
    def from_tuner(cls, tuner, *, objective=None) -> Study:
        """Reads the trials of a search that a stock tuner of KerasTuner ran.

        Metrics are those of the tuner's best epoch, and `best_model` loads what
        the tuner saved. KerasTuner does not record the seconds of a trial.

        Args:
            tuner: A tuner whose search has run, or that reloads its trials.
            objective: Validation metrics that the study compares trials by, as
                in `mtl_keras.tuning.search`. Defaults to the tuner's objective,
                or to all of its objectives.

        Returns:
            A `Study`. Nothing is written before `save` or `save_report`.

        Raises:
            TypeError: If it is not a tuner of KerasTuner.
            ValueError: If the trials have no such metric, its direction is
                unknown, or it is the total loss while loss weights vary.

        Example:

        ```python
        tuner.search(x, y, validation_data=validation)
        tuning.Study.from_tuner(tuner).plot_history()
        ```
        """
        from mtl_keras.tuning.tuner_study import read_tuner

        arguments, load_model = read_tuner(tuner, objective)
        return cls(**arguments, load_model=load_model)

    @property
    def completed(self) -> list[TrialRecord]:
        """The trials that did not fail.

        Raises:
            AllTrialsFailedError: If there are none.
        """
        found = [trial for trial in self.trials if trial.completed]
        if found:
            return found
        if not self.trials:
            raise AllTrialsFailedError("No trial has ended yet.")
        reason, *details = self.trials[0].reason.splitlines()
        error = AllTrialsFailedError(
            f"All {len(self.trials)} trials failed. The first one: {reason}"
        )
        error.add_note("\n".join(details))
        raise error

    @property
    def best(self) -> TrialRecord:
        """The best trial; of several objectives, the knee of the front."""
        if len(self.objectives) > 1:
            return self.knee()
        trials = self.completed
        return trials[int(np.argmin(self._costs(trials)[:, 0]))]

    def ranked(self) -> list[TrialRecord]:
        """Lists the completed trials by the first objective, best first."""
        trials = self.completed
        order = np.argsort(self._costs(trials)[:, 0], kind="stable")
        return [trials[at] for at in order]

    def best_model(self, trial: TrialRecord | None = None) -> keras.Model:
        """Builds the model of a trial, with the weights that it learned.

        Args:
            trial: A trial of the front. Defaults to `best`.

        Returns:
            A compiled model, at the best epoch of the trial's first training.
        """
        trial = self.best if trial is None else trial
        if self._load_model is not None:
            return self._load_model(trial)
        hyper_model = self._hyper_model
        model = hyper_model.build_anew(hyper_model.arguments(trial.values))
        model.set_weights(load_trial_weights(self.folder, trial.number))
        return model

    def pareto_front(self) -> list[TrialRecord]:
        """Lists the trials that no other one is better than in everything."""
        trials = self.completed
        kept = pareto.non_dominated(self._costs(trials))
        return [trial for trial, on in zip(trials, kept, strict=True) if on]

    def knee(self) -> TrialRecord:
        """Finds the trial of the front nearest to the best of everything."""
        front = self.pareto_front()
        return front[pareto.knee(self._costs(front))]

    def hypervolume(
        self, reference: Mapping[str, float] | None = None
    ) -> float:
        """Measures what the front dominates.

        Args:
            reference: The worst value that counts, by objective. Defaults to
                the worst of the completed trials.
        """
        points = self._costs(self.completed)
        corner = points.max(axis=0)
        if reference is not None:
            corner = costs(reference, self.objectives)
        return pareto.hypervolume(points, corner)

    def importance(self, seed: int = 0) -> dict[str, Importance]:
        """Measures how much each hyperparameter moves each objective.

        Args:
            seed: Seed of the forest that learns it. Defaults to `0`.

        Returns:
            Dict from objective to `Importance`: `shares` by hyperparameter,
            and how much is `explained`.
        """
        space = self._hyper_model.space
        return {
            objective.name: importance(
                self.completed, objective, space, seed=seed
            )
            for objective in self.objectives
        }

    def plot_history(self):
        """Plots trials and the best so far; see `plot_trial_history`."""
        from mtl_keras.tuning.plot_trial_history import plot_trial_history

        return self._plot(plot_trial_history, self.objectives)

    def plot_pareto(self):
        """Plots the Pareto front of two or more objectives."""
        from mtl_keras.tuning.plot_pareto import plot_pareto

        return self._plot(plot_pareto, self.objectives)

    def plot_parallel(self):
        """Plots each trial as a line across its values and objectives."""
        from mtl_keras.tuning.plot_parallel import plot_parallel

        space = self._hyper_model.space
        return self._plot(plot_parallel, self.objectives, space)

    def save_report(self, folder: str | Path | None = None) -> list[Path]:
        """Writes what the study tells, as pictures and a table.

        They are `history.png`, `parallel.png`, with several objectives
        `pareto.png`, and with five trials or more `importance.csv`.

        Args:
            folder: Folder to write into. Defaults to that of the search.

        Returns:
            Paths of the files.
        """
        from mtl_keras.tuning.study_report import save_report

        folder = self.folder if folder is None else Path(folder)
        return save_report(self, folder)

    def data_frame(self):
        """Returns the trials as a `pandas.DataFrame`; needs pandas."""
        import pandas

        return pandas.DataFrame([trial.as_row() for trial in self.trials])

    def save(self, folder: str | Path | None = None) -> Path:
        """Writes `study.toml`, `trials.csv` and `best.toml`.

        With `"delta_m"`, also `references.toml`. The study file that a search
        came from is left as it is.

        Args:
            folder: Folder to write into. Defaults to that of the search.

        Returns:
            The folder.

        Raises:
            FileExistsError: If a study file lies there that is another one.
        """
        folder = self.folder if folder is None else Path(folder)
        folder.mkdir(parents=True, exist_ok=True)
        texts = {"trials.csv": self._table(), "best.toml": self._best_text()}
        if not holds_study_file(folder, self.recipe):
            texts[FILE] = study_text(
                self._hyper_model,
                self.settings,
                len(self.trials),
                self.recipe,
            )
        if self.references:
            texts["references.toml"] = toml_text(self.references)
        for name, text in texts.items():
            content = text.encode()
            write_atomically(
                folder / name, lambda file, c=content: file.write(c)
            )
        return folder

    def _best_text(self) -> str:
        best = self.best
        recipe = best_recipe(
            self._hyper_model.factory,
            self._hyper_model.arguments(best.values),
            self.settings,
            self.recipe,
        )
        values = best.objectives.items()
        numbers = ", ".join(f"{name} = {value:.6g}" for name, value in values)
        return f"# Trial {best.number}: {numbers}\n{toml_text(recipe)}"

    def _table(self) -> str:
        rows = [trial.as_row() for trial in self.trials]
        columns = list(dict.fromkeys(name for row in rows for name in row))
        text = io.StringIO(newline="")
        writer = csv.DictWriter(text, columns, lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
        return text.getvalue()

    def _plot(self, plot: Callable, *arguments):
        _ = self.completed  # if there are none, that is the error
        return plot(self.trials, *arguments)

    def _costs(self, trials: Sequence[TrialRecord]) -> np.ndarray:
        return np.array([costs(t.objectives, self.objectives) for t in trials])

    def __repr__(self) -> str:
        return f"Study({str(self.folder)!r}, {len(self.trials)} trials)"
