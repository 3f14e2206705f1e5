"""Writes the best trial as the tables of a recipe."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import keras

from mtl_keras.keras_compat import get_learning_rate
from mtl_keras.tuning.study_recipe import StudyRecipe
from mtl_keras.tuning.trial_arguments import TrialArguments, make_optimizer

# Arguments that other tables of a recipe hold.
_OTHER_TABLES = {"input_shape", "optimizer", "preprocessing", "tasks"}


def best_recipe(
    factory: Callable,
    arguments: TrialArguments,
    settings: Mapping,
    recipe: StudyRecipe | None = None,
) -> dict:
    """Returns the tables `factory`, `optimizer` and `fit` of a recipe.

    Args:
        factory: The factory.
        arguments: The arguments of the factory in the best trial.
        settings: Settings of the search: `epochs`, `batch_size`, `patience`.
        recipe: The study file of the search, or `None` for a search that was
            called from Python. With a study file, the recipe is complete: it
            has the data and tasks of the study.

    Returns:
        A dict for `toml_text`, without values that TOML cannot represent.
    """
    found = {
        name: value
        for name, value in arguments.graph.items()
        if name not in _OTHER_TABLES and is_plain(value)
    }
    if arguments.loss_weights is not None:
        found["loss_weights"] = dict(arguments.loss_weights)
    fit = {
        "epochs": settings["epochs"],
        "batch_size": arguments.batch_size or settings["batch_size"],
        "patience": settings["patience"],
    }
    name = getattr(factory, "__name__", type(factory).__name__)
    best = {"factory": {"name": name, "arguments": found}}
    if recipe is not None:
        return {**best, **_study_tables(recipe, arguments, fit)}
    if arguments.optimizer is not None or arguments.learning_rate is not None:
        rate = arguments.learning_rate
        best["optimizer"] = optimizer_table(arguments.optimizer, rate)
    return {**best, "fit": fit}


def _study_tables(
    study: StudyRecipe, arguments: TrialArguments, fit: Mapping
) -> dict:
    """Returns the tables that a study shares with a recipe."""
    tables = study.recipe.model_dump(exclude_unset=True)
    optimizer = study.recipe.optimizer.model_dump()
    if "optimizer" in (study.space or {}):
        rate = arguments.learning_rate
        optimizer = optimizer_table(arguments.optimizer, rate)
    elif arguments.learning_rate is not None:
        optimizer["learning_rate"] = arguments.learning_rate
    return {
        "name": study.name,
        "data": tables["data"],
        "tasks": tables.get("tasks"),
        "optimizer": optimizer,
        "fit": {**tables["fit"], **fit},
    }


def optimizer_table(given, learning_rate: float | None) -> dict:
    """Returns the table of an optimizer.

    Args:
        given: Name, config or instance of an optimizer, or `None` for Adam.
        learning_rate: The learning rate, or `None` for the optimizer's.

    Returns:
        A dict of the name, the learning rate unless it is a schedule, and the
        arguments that differ from their defaults.
    """
    if given is not None:
        given = keras.optimizers.serialize(keras.optimizers.get(given))
    optimizer = make_optimizer(given, None)
    if isinstance(optimizer, keras.optimizers.LossScaleOptimizer):
        # `compile` adds it again under mixed_float16.
        optimizer = optimizer.inner_optimizer
    defaults = type(optimizer)().get_config()
    changed = {
        name: value
        for name, value in optimizer.get_config().items()
        if name not in ("name", "learning_rate")
        and value != defaults.get(name)
        and is_plain(value)
    }
    rate = learning_rate
    if rate is None and isinstance(
        get_learning_rate(optimizer), keras.Variable
    ):
        rate = float(str(optimizer.learning_rate.numpy()))
    table = {"name": type(optimizer).__name__.lower(), "learning_rate": rate}
    return {**table, "arguments": changed} if changed else table


def is_plain(value) -> bool:
    """Checks whether TOML and JSON can represent a value."""
    if isinstance(value, list | tuple):
        return all(map(is_plain, value))
    if isinstance(value, Mapping):
        return all(map(is_plain, value.values()))
    return value is None or isinstance(value, bool | int | float | str)
