"""Runs the search of a study file."""

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
from mtl_keras.tuning.run_plan import check_workers, make_executor, run_plan
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
    retry_failed: bool = False,
    overwrite: bool = False,
    verbose: int = 1,
) -> Study:
    """Runs or resumes the search of a study file.

    With `oracle`, this process is the chief of a search on several hosts: it
    proposes trials and writes the results, and the workers train (see
    `join_study`).

    Args:
        study: A `StudyRecipe`, or the path of a study file or its folder.
        output: Folder of the search. Defaults to the folder of the file if it
            is called `study.toml`, else to `searches/<name>`.
        workers: See `search`.
        distribution: See `search`.
        replicas: See `search`.
        oracle: `HOST:PORT` at which to listen for workers, or the path of a
            file with this address.
        wait_seconds: Seconds to wait while there is no worker. Defaults to
            `600`.
        resume: See `search`.
        retry_failed: See `search`.
        overwrite: See `search`.
        verbose: See `search`.

    Returns:
        A `Study`.

    Raises:
        NoWorkersError: If there was no worker for `wait_seconds`.
        OSError: If the port is in use.
        FileNotFoundError: If the study or its data does not exist.
        ValueError: If the study does not match the data, or the folder holds
            another study.

    Example:

    ```python
    study = mtl_keras.tuning.run_study("tuning/mlp_weights", workers=2)
    study.best
    ```
    """
    check_workers(workers, distribution)
    if oracle is not None and workers != 1:
        raise ValueError(
            f"workers={workers} are processes on this host, but with oracle "
            "the workers connect from other hosts. Leave one of the two out."
        )
    folder = Path(output) if output is not None else study_folder(study)
    if not isinstance(study, StudyRecipe):
        study = load_study_recipe(study)
    plan = plan_study(study, distribution=distribution, replicas=replicas)
    report = make_report(plan.objectives, plan.max_trials, verbose)
    options = {
        "resume": resume,
        "retry_failed": retry_failed,
        "overwrite": overwrite,
        "report": report,
    }
    if oracle is None:
        make = make_executor(plan, workers, distribution, replicas)
        return run_plan(plan, folder, make, **options)
    return lead_search(
        plan, folder, oracle, wait_seconds=wait_seconds, **options
    )


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
    """Trains trials for the chief of a study on another host.

    Args:
        study: The study of the chief; see `run_study`.
        oracle: `HOST:PORT` of the chief, or the path of a file with this
            address.
        output: Folder of the search, which has the key of the chief; see
            `docs/cluster.md`. Defaults to the folder of `run_study`.
        distribution: See `search`.
        replicas: See `search`.
        wait_seconds: Seconds to try to reach the chief, at the start and after
            a lost connection. Defaults to `600`.
        verbose: Whether to print a line for each trial. Defaults to `1`.

    Returns:
        Number of trials that this process has trained.

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
    """Returns the default folder of a study's search.

    Args:
        study: A `StudyRecipe`, or the path of a study file or its folder.
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
        distribution: Strategy of each training.
        replicas: Number of devices, or `None` for all.

    Returns:
        The `SearchPlan`.
    """
    recipe = study.recipe
    # Otherwise, trials would decode the files of a folder in each epoch.
    data = zoo.load_data(recipe, in_memory=True)
    train, validation = data.train, data.validation
    if study.search.folds:
        train, validation = _concatenate(train, validation), None
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
    """Returns the fixed values of the recipe and the space of the study."""
    accepted = inspect.signature(models.get(study.factory.name)).parameters
    # Wrapped as one choice: a plain list would be choices, a pair a range.
    fixed = {name: [v] for name, v in arguments.items() if name in accepted}
    rate = study.optimizer.learning_rate
    if isinstance(rate, float):
        fixed["learning_rate"] = rate
    return {**fixed, **(study.space or {})}


def _fixed(study: StudyRecipe) -> dict:
    """Returns the settings that all trials share."""
    parts = {"factory", "data", "tasks", "optimizer"}
    values = study.model_dump(mode="json", include=parts)
    # The location of the data may differ between hosts and change.
    values["data"]["arguments"].pop("path", None)
    del values["data"]["origin"]
    held_back = {"validation_split", "num_validation"}
    return {**values, "fit": study.fit.model_dump(include=held_back)}


def _concatenate(first, second):
    """Concatenates the samples of two parts."""
    x = np.concatenate([first[0], second[0]])
    return x, {
        name: np.concatenate([targets, second[1][name]])
        for name, targets in first[1].items()
    }
