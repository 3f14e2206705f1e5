"""Writes the study file of a search."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from mtl_keras import models
from mtl_keras.tasks import Task
from mtl_keras.tuning.best_recipe import is_plain, optimizer_table
from mtl_keras.tuning.dimensions import Choices, Fixed, Range
from mtl_keras.tuning.make_hyper_model import HyperModel
from mtl_keras.tuning.read_study import FILE, load_study_recipe
from mtl_keras.tuning.study_recipe import StudyRecipe
from mtl_keras.zoo.toml_text import toml_text

# First line of a generated file, which a search may overwrite.
WRITTEN = "# Written by a search of mtl_keras"
_NO_DATA = """\
# The data were arrays. Name a data set here to run it with mtl-keras tune.
# [data]
# name = "..."
"""
_OWN_FACTORY = """\
# The factory is custom code. Pass it to tuning.search to run it again.
"""
_SEARCH = ("tuner", "executions_per_trial", "folds", "loss_weights", "seed")
# Names with a separate table, or that the data determine.
_NO_ARGUMENTS = {
    "batch_size",
    "input_shape",
    "learning_rate",
    "optimizer",
    "tasks",
}


def study_text(
    hyper_model: HyperModel,
    settings: Mapping[str, Any],
    max_trials: int,
    recipe: StudyRecipe | None = None,
) -> str:
    """Formats a search as a study file.

    Args:
        hyper_model: The hypermodel, with factory and space.
        settings: Settings of the search, see `describe_search`.
        max_trials: Number of trials.
        recipe: The study file of the search, or `None`.

    Returns:
        The text of a `study.toml`. For a search that was called from Python,
        a comment replaces the data set.
    """
    if recipe is not None:
        tables = recipe.model_dump(exclude_unset=True)
        return f"{WRITTEN}.\n{toml_text(tables)}"
    tables, left_out = study_tables(hyper_model, settings, max_trials)
    notes = f"{WRITTEN}.\n"
    if left_out:
        notes += f"# Left out, not representable in TOML: {_list(left_out)}.\n"
    is_ours = settings["factory"] in models.names()
    notes += _NO_DATA if is_ours else _OWN_FACTORY
    return f"{notes}\n{toml_text(tables)}"


def holds_study_file(folder: Path, recipe: StudyRecipe | None) -> bool:
    """Checks whether a folder has the study file of the user.

    Args:
        folder: The folder.
        recipe: The study, if it came from a file.

    Raises:
        FileExistsError: If it has the file of another study.
    """
    path = folder / FILE
    if not path.is_file():
        return False
    if path.read_text(encoding="utf-8").startswith(WRITTEN):
        return False
    if recipe is not None and _is_same(load_study_recipe(path), recipe):
        return True
    raise FileExistsError(
        f"'{path}' is the file of another study. Choose another folder."
    )


def _is_same(one: StudyRecipe, other: StudyRecipe) -> bool:
    """Checks that two studies differ only in command-line options."""
    first, second = (each.model_dump(exclude={"name"}) for each in (one, other))
    for values in (first, second):
        del values["search"]["max_trials"]
        values["data"]["arguments"].pop("path", None)
    return first == second


def study_tables(
    hyper_model: HyperModel,
    settings: Mapping[str, Any],
    max_trials: int,
) -> tuple[dict, list[str]]:
    """Returns the tables of a study file, except for the data.

    Args:
        hyper_model: The hypermodel, with factory and space.
        settings: Settings of the search, see `describe_search`.
        max_trials: Number of trials.

    Returns:
        The tables, and the names that TOML cannot represent.
    """
    fixed, space, left_out = {}, {}, []
    for name, dimension in hyper_model.space.items():
        if isinstance(dimension, Fixed) and name in _NO_ARGUMENTS:
            continue
        value = _value(dimension)
        if not _is_representable(value):
            left_out.append(name)
        elif isinstance(dimension, Fixed) and "/" not in name:
            fixed[name] = value
        else:
            space[name] = value
    search = {name: settings[name] for name in _SEARCH}
    if isinstance(search["folds"], str):  # index pairs
        search["folds"] = None
        left_out.append("folds")
    tables = {
        "factory": {"name": settings["factory"], "arguments": fixed},
        "tasks": _tasks(hyper_model.space.get("tasks")),
        "optimizer": _optimizer(hyper_model.space),
        "fit": {
            "epochs": settings["epochs"],
            "batch_size": _batch_size(hyper_model.space, settings),
            "patience": _patience(settings),
        },
        "search": {
            **search,
            "max_trials": max_trials,
            "objective": settings["objectives"],
            "references": settings["references"],
        },
        "space": space,
    }
    return tables, left_out


def _value(dimension: Choices | Fixed | Range):
    if isinstance(dimension, Range):
        return {
            "low": dimension.low,
            "high": dimension.high,
            "scale": dimension.scale,
        }
    if isinstance(dimension, Choices):
        return list(dimension.values)
    return dimension.content


def _is_representable(value) -> bool:
    if isinstance(value, list | tuple):
        return all(map(_is_representable, value))
    if isinstance(value, Mapping):
        return all(map(_is_representable, value.values()))
    return value is not None and is_plain(value)


def _tasks(dimension: Fixed | None) -> list[dict] | None:
    """Returns the tables `[[tasks]]`, if the space fixes the tasks."""
    given = getattr(dimension, "content", None)
    if not given or not all(isinstance(task, Task) for task in given):
        return None
    tables = []
    for task in given:
        config = task.get_config()
        name = config.pop("name")
        kind = type(task).__name__
        plain = {n: v for n, v in config.items() if _is_representable(v)}
        tables.append({"kind": kind, "name": name, "arguments": plain})
    return tables


def _optimizer(space: Mapping) -> dict | None:
    given, rate = (
        getattr(space.get(name), "content", None)
        for name in ("optimizer", "learning_rate")
    )
    if given is None and rate is None:
        return None
    return optimizer_table(given, rate)


def _patience(settings: Mapping) -> int | None:
    """Returns 0 if it was not used, and `None` if it was not recorded."""
    if settings["epochs"] is None:
        return None
    return settings["patience"] or 0


def _batch_size(space: Mapping, settings: Mapping) -> int:
    fixed = getattr(space.get("batch_size"), "content", None)
    return fixed or settings["batch_size"]


def _list(names: Iterable[str]) -> str:
    return ", ".join(sorted(names))
