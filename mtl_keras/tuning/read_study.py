"""Reads and checks study files."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

from mtl_keras.spelling import did_you_mean
from mtl_keras.tuning.oracles import TUNERS
from mtl_keras.tuning.study_recipe import StudyRecipe
from mtl_keras.zoo.checked_table import checked_table
from mtl_keras.zoo.read import check_names
from mtl_keras.zoo.toml_text import read_toml

FILE = "study.toml"


def load_study_recipe(study: str | os.PathLike) -> StudyRecipe:
    """Reads a study file.

    Args:
        study: Path of a TOML file, or of a folder with a `study.toml`.

    Returns:
        The checked `StudyRecipe`.

    Raises:
        FileNotFoundError: If there is no such file.
        ValueError: If the file is not TOML, has an unknown key or an invalid
            value. The error names the key.

    Example:

    ```python
    study = mtl_keras.tuning.load_study_recipe("tuning/mlp_weights")
    ```
    """
    path = study_path(study)
    is_folder = path.name == FILE
    name = path.resolve().parent.name if is_folder else path.stem
    return check_study({"name": name, **read_toml(path)}, f"'{path}'")


def study_path(study: str | os.PathLike) -> Path:
    """Finds the file of a study.

    Args:
        study: Path of the file, or of its folder.

    Raises:
        FileNotFoundError: If there is no such file.
    """
    path = Path(study)
    path = path / FILE if path.is_dir() else path
    if not path.is_file():
        raise FileNotFoundError(
            f"There is no study file '{path}'. Pass the path of a TOML file, "
            f"or of a folder with a {FILE}."
        )
    return path


def check_study(values: Mapping, source: str) -> StudyRecipe:
    """Checks the values of a study file.

    Args:
        values: The values.
        source: Origin of the values, for error messages.

    Returns:
        The `StudyRecipe`. All names in it exist, except that the space and the
        objective, which depend on the data, are not checked.

    Raises:
        ValueError: If a key is unknown or a value invalid.
    """
    study = checked_table(StudyRecipe, values, source)
    try:
        check_names(study.recipe)
        if study.search.tuner not in TUNERS:
            raise ValueError(
                f"'search.tuner': unknown tuner {study.search.tuner!r}. "
                f"{did_you_mean(study.search.tuner, TUNERS)}"
            )
        if study.data.sets:
            raise ValueError(
                "'data.sets': a search trains on one data set, not on a "
                "mixture. Name one data set in [data]."
            )
    except ValueError as error:
        raise ValueError(f"{source}: {error}") from error
    return study


def change_study(
    study: StudyRecipe,
    *,
    epochs: int | None = None,
    max_trials: int | None = None,
    data_path: str | os.PathLike | None = None,
    data_arguments: Mapping | None = None,
) -> StudyRecipe:
    """Returns a copy of a study with other values, checked.

    Args:
        study: The study.
        epochs: Maximum number of epochs of a trial. Defaults to the study's.
        max_trials: Number of trials. Defaults to the study's.
        data_path: The `path` argument of the data set. Defaults to the
            study's.
        data_arguments: Dict of arguments of the data set. The others keep the
            values of the study.

    Raises:
        ValueError: If a value is invalid.
    """
    values = study.model_dump(exclude_unset=True)
    if epochs is not None:
        values.setdefault("fit", {})["epochs"] = epochs
    if max_trials is not None:
        values["search"]["max_trials"] = max_trials
    arguments = dict(data_arguments or {})
    if data_path is not None:
        arguments["path"] = str(data_path)
    if arguments:
        data = values["data"]
        data["arguments"] = {**data.get("arguments", {}), **arguments}
    return check_study(values, f"study {study.name!r}")
