"""Runs a study file."""

from __future__ import annotations

import dataclasses
import inspect
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from mtl_keras import models, zoo
from mtl_keras.tuning.read_study import FILE, load_study_recipe, study_path
from mtl_keras.tuning.run_plan import check_workers, make_crew, run_plan
from mtl_keras.tuning.search_hosts import (
    WAIT_SECONDS,
    join_search,
    lead_search,
)
from mtl_keras.tuning.search_plan import SearchPlan, plan_search
from mtl_keras.tuning.study import Study
from mtl_keras.tuning.study_recipe import StudyRecipe
from mtl_keras.tuning.trial_report import (
    TrialLines,
    TrialReport,
    make_report,
)
from mtl_keras.zoo.model import factory_arguments


def run_study(
    study: StudyRecipe | str | os.PathLike,
    output: str | os.PathLike | None = None,
    *,
    workers: int = 1,
    distribution: str = "auto",
    replicas: int | None = None,
    oracle: str | None = None,
    wait_seconds: float = WAIT_SECONDS,
    resume: bool = True,
    verbose: int = 1,
) -> Study:
    """Runs the search of a study file, or goes on with it.

    With `oracle`, this process is the chief of a search on several hosts: it
    proposes and writes, and others train (see `join_study`).

    Args:
        study: A `StudyRecipe`, or the path of a study file or of its folder.
        output: Folder of the search. Defaults to the folder of a `study.toml`;
            for another file or a `StudyRecipe`, to `searches/<name>`.
        workers: See `search`.
        distribution: See `search`.
        replicas: See `search`.
        oracle: `HOST:PORT` to listen for workers at, or the path of a file
            that says it.
        wait_seconds: How long to go on while there is no worker. Defaults to
            `600`.
        resume: See `search`.
        verbose: See `search`.

    Returns:
        A `Study`.

    Raises:
        NoWorkersError: If there was no worker for too long.
        OSError: If the port is in use.
        FileNotFoundError: If there is no such study, or no such data.
        ValueError: If the study does not fit the data, or the folder holds
            another one.

    Example:

    ```python
    study = mtl_keras.tuning.run_study("tuning/mlp_weights", workers=2)
    study.best
    ```
    """
    check_workers(workers, distribution)
    if oracle is not None and workers != 1:
        raise ValueError(
            f"workers={workers} are processes of this host, and with oracle "
            "the workers connect from elsewhere. Leave one of the two out."
        )
    folder = Path(output) if output is not None else study_folder(study)
    if not isinstance(study, StudyRecipe):
        study = load_study_recipe(study)
    plan = plan_study(study, distribution=distribution, replicas=replicas)
    report = make_report(plan.objectives, plan.max_trials, verbose)
    how = {"resume": resume, "report": report}
    if oracle is None:
        crew = make_crew(plan, workers, distribution, replicas)
        return run_plan(plan, folder, crew, **how)
    return lead_search(plan, folder, oracle, wait_seconds=wait_seconds, **how)


def join_study(
    study: StudyRecipe | str | os.PathLike,
    oracle: str,
    output: str | os.PathLike | None = None,
    *,
    distribution: str = "auto",
    replicas: int | None = None,
    wait_seconds: float = WAIT_SECONDS,
    verbose: int = 1,
) -> int:
    """Trains trials of a study that a chief elsewhere searches.

    Args:
        study: As for `run_study`; the same as the chief's.
        oracle: `HOST:PORT` of the chief, or the path of a file that says it.
        output: Folder of the search, where the chief's key is; see
            `docs/cluster.md`. Defaults to that of `run_study`.
        distribution: See `search`.
        replicas: See `search`.
        wait_seconds: How long to try to reach the chief, at the start and
            whenever the connection is lost. Defaults to `600`.
        verbose: Whether to print a line for each trial.

    Returns:
        Number of trials that were trained here.

    Raises:
        UnreachableOracleError: If the chief could not be reached.
        ValueError: If the chief has another key or another study.

    Example:

    ```python
    mtl_keras.tuning.join_study("tuning/mlp_weights", "node1:5000")
    ```
    """
    folder = Path(output) if output is not None else study_folder(study)
    if not isinstance(study, StudyRecipe):
        study = load_study_recipe(study)
    plan = plan_study(study, distribution=distribution, replicas=replicas)
    report = TrialLines() if verbose else TrialReport()
    return join_search(
        plan, folder, oracle, wait_seconds=wait_seconds, say=report.say
    )


def study_folder(study: StudyRecipe | str | os.PathLike) -> Path:
    """Returns the folder of a study's search, unless the user names one.

    Args:
        study: A `StudyRecipe`, or the path of a study file or of its folder.
    """
    if isinstance(study, StudyRecipe):
        return Path("searches") / study.name
    path = study_path(study)
    return path.parent if path.name == FILE else Path("searches") / path.stem


def plan_study(
    study: StudyRecipe,
    *,
    distribution: str = "auto",
    replicas: int | None = None,
) -> SearchPlan:
    """Loads the data of a study, and plans its search.

    Args:
        study: The study.
        distribution: What each training is spread over.
        replicas: Number of devices, or `None` for all.
    """
    recipe = study.recipe
    # Read once: trials would decode the files of a folder in every epoch.
    data = zoo.load_data(recipe, in_memory=True)
    train, validation = data.train, data.validation
    if study.search.folds:
        train, validation = _joined(train, validation), None
    search = study.search.model_dump()
    plan = plan_search(
        models.get(recipe.factory.name),
        _space(study, factory_arguments(recipe, data)),
        train,
        validation,
        epochs=recipe.fit.epochs,
        batch_size=recipe.fit.batch_size,
        patience=recipe.fit.patience,
        merge=study.space is None,
        distribution=distribution,
        replicas=replicas,
        **search,
    )
    settings = {**plan.settings, "recipe": _fixed(study)}
    return dataclasses.replace(plan, settings=settings, recipe=study)


def _space(study: StudyRecipe, arguments: Mapping[str, Any]) -> dict:
    """What the recipe fixes, and what the study's space says."""
    taken = inspect.signature(models.get(study.factory.name)).parameters
    # Each is one choice: a list by itself would be several, a pair a range.
    fixed = {name: [v] for name, v in arguments.items() if name in taken}
    rate = study.optimizer.learning_rate
    if isinstance(rate, float):
        fixed["learning_rate"] = rate
    return {**fixed, **(study.space or {})}


def _fixed(study: StudyRecipe) -> dict:
    """What the trials have in common and other settings do not tell."""
    parts = {"factory", "data", "tasks", "optimizer"}
    values = study.model_dump(mode="json", include=parts)
    # Where the data lies may differ between hosts and from day to day.
    values["data"]["arguments"].pop("path", None)
    del values["data"]["origin"]
    held_back = {"validation_split", "num_validation"}
    return {**values, "fit": study.fit.model_dump(include=held_back)}


def _joined(first, second):
    """The samples of two parts as one."""
    x = np.concatenate([first[0], second[0]])
    return x, {
        name: np.concatenate([targets, second[1][name]])
        for name, targets in first[1].items()
    }
