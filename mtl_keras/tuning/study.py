"""The results of a search."""

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
    """Raised if all trials of a search failed."""


class Study:
    """The trials of a search: the best ones, plots and reports.

    `mtl_keras.tuning.search` returns a study.

    Args:
        folder: Folder of the search.
        settings: Settings of the search, for `study.toml`.
        objectives: The objectives.
        trials: The finished trials, in the order in which they began.
        hyper_model: The hypermodel of the trials.
        references: Dict from task to the metric of its single-task model, for
            `delta_m`.
        recipe: The study file of the search, or `None`.
        load_model: Function that loads the model of a trial. Defaults to
            building it with the weights in the folder.
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
        """Creates a study from a tuner of KerasTuner.

        The metrics are those of the tuner's best epoch, and `best_model` loads
        the model that the tuner saved. KerasTuner does not record the duration
        of a trial.

        Args:
            tuner: A tuner whose search has run, or that reloads its trials.
            objective: Validation metrics by which the study compares trials,
                as in `mtl_keras.tuning.search`. Defaults to all objectives of
                the tuner.

        Returns:
            A `Study`. It writes no files before `save` or `save_report`.

        Raises:
            TypeError: If `tuner` is not a tuner of KerasTuner.
            ValueError: If the trials have no such metric, if its direction is
                unknown, or if it is the total loss while loss weights vary.

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
            AllTrialsFailedError: If all trials failed.
        """
        found = [trial for trial in self.trials if trial.completed]
        if found:
            return found
        if not self.trials:
            raise AllTrialsFailedError("No trial has finished yet.")
        reason, *details = self.trials[0].reason.splitlines()
        reason = reason.rstrip(".")
        text = f"All {len(self.trials)} trials failed. The first one: {reason}."
        if self._load_model is None:  # not a study of KerasTuner's trials
            text += (
                " Correct the cause, and search again with retry_failed=True."
            )
        error = AllTrialsFailedError(text)
        error.add_note("\n".join(details))
        raise error

    @property
    def best(self) -> TrialRecord:
        """The best trial; with several objectives, the knee of the front."""
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
        """Builds the model of a trial with its trained weights.

        Args:
            trial: A trial of the front. Defaults to `best`.

        Returns:
            A compiled model with the weights of the best epoch of the trial's
            first training.
        """
        trial = self.best if trial is None else trial
        if self._load_model is not None:
            return self._load_model(trial)
        hyper_model = self._hyper_model
        model = hyper_model.build_separate(hyper_model.arguments(trial.values))
        model.set_weights(load_trial_weights(self.folder, trial.number))
        return model

    def pareto_front(self) -> list[TrialRecord]:
        """Lists the trials that no other trial dominates."""
        trials = self.completed
        kept = pareto.non_dominated(self._costs(trials))
        return [trial for trial, on in zip(trials, kept, strict=True) if on]

    def knee(self) -> TrialRecord:
        """Returns the trial of the front that is nearest to the ideal point."""
        front = self.pareto_front()
        return front[pareto.knee(self._costs(front))]

    def hypervolume(
        self, reference: Mapping[str, float] | None = None
    ) -> float:
        """Computes the hypervolume of the front.

        Args:
            reference: Dict from objective to its worst value. Defaults to the
                worst values of the completed trials.
        """
        points = self._costs(self.completed)
        corner = points.max(axis=0)
        if reference is not None:
            corner = costs(reference, self.objectives)
        return pareto.hypervolume(points, corner)

    def importance(self, seed: int = 0) -> dict[str, Importance]:
        """Measures the importance of each hyperparameter by objective.

        Args:
            seed: Seed of the random forest. Defaults to `0`.

        Returns:
            Dict from objective to `Importance`, with `shares` by
            hyperparameter and `explained`, the R2 of the forest.
        """
        space = self._hyper_model.space
        return {
            objective.name: importance(
                self.completed, objective, space, seed=seed
            )
            for objective in self.objectives
        }

    def plot_history(self):
        """Plots each trial and the best so far; see `plot_trial_history`."""
        from mtl_keras.tuning.plot_trial_history import plot_trial_history

        return self._plot(plot_trial_history, self.objectives)

    def plot_pareto(self):
        """Plots the Pareto front of two or more objectives."""
        from mtl_keras.tuning.plot_pareto import plot_pareto

        return self._plot(plot_pareto, self.objectives)

    def plot_parallel(self):
        """Plots the trials in parallel coordinates; see `plot_parallel`."""
        from mtl_keras.tuning.plot_parallel import plot_parallel

        space = self._hyper_model.space
        return self._plot(plot_parallel, self.objectives, space)

    def save_report(self, folder: str | Path | None = None) -> list[Path]:
        """Writes plots and the importance of hyperparameters.

        The files are `history.png`, `parallel.png`, `pareto.png` (for several
        objectives) and `importance.csv` (for five trials or more).

        Args:
            folder: Folder to write into. Defaults to the folder of the search.

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

        With `"delta_m"`, this also writes `references.toml`. The study file of
        the user is not overwritten.

        Args:
            folder: Folder to write into. Defaults to the folder of the search.

        Returns:
            The folder.

        Raises:
            FileExistsError: If the folder has the file of another study.
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
        _ = self.completed  # raises an error if all trials failed
        return plot(self.trials, *arguments)

    def _costs(self, trials: Sequence[TrialRecord]) -> np.ndarray:
        return np.array([costs(t.objectives, self.objectives) for t in trials])

    def __repr__(self) -> str:
        return f"Study({str(self.folder)!r}, {len(self.trials)} trials)"
