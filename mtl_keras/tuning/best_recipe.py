"""The best trial as the tables of a recipe."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import keras

from mtl_keras.tuning.trial_arguments import TrialArguments, make_optimizer

# What other tables of a recipe say.
_SAID_ELSEWHERE = {"input_shape", "optimizer", "preprocessing", "tasks"}


def best_recipe(
    factory: Callable, arguments: TrialArguments, settings: Mapping
) -> dict:
    """Makes the tables `factory`, `optimizer` and `fit` of a recipe.

    Args:
        factory: The factory.
        arguments: What it was called with.
        settings: Settings of the search: `epochs`, `batch_size`, `patience`.

    Returns:
        A dict for `toml_text`. Objects that TOML has no word for are left out.
    """
    found = {
        name: value
        for name, value in arguments.graph.items()
        if name not in _SAID_ELSEWHERE and _is_plain(value)
    }
    if arguments.loss_weights is not None:
        found["loss_weights"] = dict(arguments.loss_weights)
    fit = {
        "epochs": settings["epochs"],
        "batch_size": arguments.batch_size or settings["batch_size"],
        "patience": settings["patience"],
    }
    name = getattr(factory, "__name__", type(factory).__name__)
    recipe = {"factory": {"name": name, "arguments": found}}
    if arguments.optimizer is not None or arguments.learning_rate is not None:
        recipe["optimizer"] = _optimizer(arguments)
    return {**recipe, "fit": fit}


def _optimizer(arguments: TrialArguments) -> dict:
    optimizer = make_optimizer(arguments.optimizer, None)
    usual = type(optimizer)().get_config()
    changed = {
        name: value
        for name, value in optimizer.get_config().items()
        if name not in ("name", "learning_rate")
        and value != usual.get(name)
        and _is_plain(value)
    }
    rate = arguments.learning_rate
    if rate is None and isinstance(optimizer._learning_rate, keras.Variable):
        rate = float(str(optimizer.learning_rate.numpy()))
    table = {"name": type(optimizer).__name__.lower(), "learning_rate": rate}
    return {**table, "arguments": changed} if changed else table


def _is_plain(value) -> bool:
    if isinstance(value, list | tuple):
        return all(map(_is_plain, value))
    if isinstance(value, Mapping):
        return all(map(_is_plain, value.values()))
    return value is None or isinstance(value, bool | int | float | str)
