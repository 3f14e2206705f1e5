"""The best trial as the tables of a recipe."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import keras

from mtl_keras.keras_compat import learning_rate_of
from mtl_keras.tuning.study_recipe import StudyRecipe
from mtl_keras.tuning.trial_arguments import TrialArguments, make_optimizer

# What other tables of a recipe say.
_SAID_ELSEWHERE = {"input_shape", "optimizer", "preprocessing", "tasks"}


def best_recipe(
    factory: Callable,
    arguments: TrialArguments,
    settings: Mapping,
    recipe: StudyRecipe | None = None,
) -> dict:
    """Makes the tables `factory`, `optimizer` and `fit` of a recipe.

    Args:
        factory: The factory.
        arguments: What it was called with.
        settings: Settings of the search: `epochs`, `batch_size`, `patience`.
        recipe: The study file that it came from, if it did. The recipe is then
            whole, with the data and tasks of the study.

    Returns:
        A dict for `toml_text`. Objects that TOML has no word for are left out.
    """
    found = {
        name: value
        for name, value in arguments.graph.items()
        if name not in _SAID_ELSEWHERE and is_plain(value)
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
        return {**best, **_said_by_study(recipe, arguments, fit)}
    if arguments.optimizer is not None or arguments.learning_rate is not None:
        rate = arguments.learning_rate
        best["optimizer"] = optimizer_table(arguments.optimizer, rate)
    return {**best, "fit": fit}


def _said_by_study(
    study: StudyRecipe, arguments: TrialArguments, fit: Mapping
) -> dict:
    """The tables that a study has in common with a recipe."""
    said = study.recipe.model_dump(exclude_unset=True)
    optimizer = study.recipe.optimizer.model_dump()
    if "optimizer" in (study.space or {}):
        rate = arguments.learning_rate
        optimizer = optimizer_table(arguments.optimizer, rate)
    elif arguments.learning_rate is not None:
        optimizer["learning_rate"] = arguments.learning_rate
    return {
        "name": study.name,
        "data": said["data"],
        "tasks": said.get("tasks"),
        "optimizer": optimizer,
        "fit": {**said["fit"], **fit},
    }


def optimizer_table(given, learning_rate: float | None) -> dict:
    """Makes the table of an optimizer.

    Args:
        given: The optimizer: a name, a config, an object, or `None` for Adam.
        learning_rate: Its rate, or `None` for what it has.

    Returns:
        Its name, its rate unless that is a schedule, and the arguments that
        differ from the usual.
    """
    if given is not None:
        given = keras.optimizers.serialize(keras.optimizers.get(given))
    optimizer = make_optimizer(given, None)
    if isinstance(optimizer, keras.optimizers.LossScaleOptimizer):
        # `compile` adds it again under mixed_float16.
        optimizer = optimizer.inner_optimizer
    usual = type(optimizer)().get_config()
    changed = {
        name: value
        for name, value in optimizer.get_config().items()
        if name not in ("name", "learning_rate")
        and value != usual.get(name)
        and is_plain(value)
    }
    rate = learning_rate
    if rate is None and isinstance(learning_rate_of(optimizer), keras.Variable):
        rate = float(str(optimizer.learning_rate.numpy()))
    table = {"name": type(optimizer).__name__.lower(), "learning_rate": rate}
    return {**table, "arguments": changed} if changed else table


def is_plain(value) -> bool:
    """Tells whether TOML has a word for a value, and so JSON has."""
    if isinstance(value, list | tuple):
        return all(map(is_plain, value))
    if isinstance(value, Mapping):
        return all(map(is_plain, value.values()))
    return value is None or isinstance(value, bool | int | float | str)
