"""Reads and writes recipes, and says in one line what is wrong with one."""

from __future__ import annotations

import inspect
import os
from collections.abc import Callable, Mapping
from pathlib import Path

import keras

from mtl_keras import datasets, models, tasks
from mtl_keras.spelling import did_you_mean
from mtl_keras.tables import fit_feature_space
from mtl_keras.training.backups.atomic_file import write_text_atomically
from mtl_keras.zoo.checked_table import checked_table
from mtl_keras.zoo.entries import entries
from mtl_keras.zoo.mixture import MIX, check_mixture
from mtl_keras.zoo.recipe import Data, Recipe
from mtl_keras.zoo.toml_text import read_toml, toml_text

# What other tables of a recipe say; the rest of a factory's arguments is free.
_SAID_ELSEWHERE = {
    "tasks": "[[tasks]]",
    "optimizer": "[optimizer]",
    "preprocessing": "preprocessing in [data]",
}


def load_recipe(recipe: str | os.PathLike) -> Recipe:
    """Reads a recipe from a file, or that of an entry of the zoo.

    Args:
        recipe: Path of a TOML file, or name of an entry (see `entries`).

    Returns:
        The checked `Recipe`.

    Raises:
        FileNotFoundError: If there is neither such a file nor such an entry.
        ValueError: If the file is no TOML, has an unknown key or a value that
            does not fit. The error names the key.

    Example:

    ```python
    mtl_keras.zoo.load_recipe("models/mlp_energy/recipe.toml").fit.epochs
    ```
    """
    path = Path(recipe)
    if not path.is_file():
        known = {entry.name: entry.recipe for entry in entries()}
        if str(recipe) not in known:
            raise FileNotFoundError(
                f"There is no recipe file and no zoo entry {str(recipe)!r}. "
                f"{did_you_mean(recipe, known)}"
            )
        path = known[str(recipe)]
    values = read_toml(path)
    is_entry = path.name == "recipe.toml"
    name = path.resolve().parent.name if is_entry else path.stem
    return check_recipe({"name": name, **values}, f"'{path}'")


def make_recipe(
    factory: str,
    data: str,
    *,
    preprocessing: str | None = None,
    epochs: int = 10,
    batch_size: int = 64,
) -> Recipe:
    """Makes a recipe of a factory and a data set, with defaults for the rest.

    Args:
        factory: Name of a factory, one of `mtl_keras.models.names()`.
        data: Name of a data set, one of `mtl_keras.datasets.names()`.
        preprocessing: `"standardize"`, `"rescale"` or `None` (default).
        epochs: Number of epochs. Defaults to `10`.
        batch_size: Samples per batch. Defaults to `64`.

    Returns:
        A `Recipe`.

    Example:

    ```python
    recipe = mtl_keras.zoo.make_recipe("build_cnn_cls_seg", "digit_scenes")
    mtl_keras.zoo.train(recipe, "runs/first")
    ```
    """
    name = f"{factory.removeprefix('build_')}_{data}"
    values = {
        "name": name,
        "factory": {"name": factory},
        "data": {"name": data, "preprocessing": preprocessing},
        "fit": {"epochs": epochs, "batch_size": batch_size},
    }
    return check_recipe(values, f"recipe {name!r}")


def check_recipe(values: Mapping, source: str) -> Recipe:
    """Makes a recipe from the values of a TOML file.

    Args:
        values: The values.
        source: Where they come from, which errors name.

    Returns:
        The `Recipe`. All names in it exist: of the factory, the data set, the
        tasks' kinds, the optimizer, and of the arguments of each.

    Raises:
        ValueError: If a key or value does not fit.
    """
    recipe = checked_table(Recipe, values, source)
    try:
        check_names(recipe)
    except ValueError as error:
        raise ValueError(f"{source}: {error}") from error
    return recipe


def write_recipe(recipe: Recipe, path: Path) -> None:
    """Writes a recipe as TOML, with all values that were left to defaults.

    Args:
        recipe: The recipe.
        path: Path of the file.
    """
    write_text_atomically(path, toml_text(recipe.model_dump()))


def check_names(recipe: Recipe) -> None:
    """Raises a `ValueError` for a name in a recipe that does not exist.

    Args:
        recipe: The recipe.
    """
    factory = recipe.factory
    for argument, table in _SAID_ELSEWHERE.items():
        if argument in factory.arguments:
            raise ValueError(
                f"'factory.arguments.{argument}' is said by {table}; leave it "
                "out here."
            )
    _check_arguments("factory", models.get(factory.name), factory.arguments)
    _check_data(recipe.data)
    for index, task in enumerate(recipe.tasks or ()):
        kind = _public(tasks, task.kind, f"tasks.{index}.kind")
        _check_arguments(f"tasks.{index}", kind, task.arguments)
    for index, layer in enumerate(recipe.data.augmentation):
        key = f"data.augmentation.{index}"
        kind = _public(keras.layers, layer.name, f"{key}.name")
        _check_arguments(key, kind, layer.arguments)
    optimizer = recipe.optimizer
    keras_name = _keras_optimizer(optimizer.name)
    _check_arguments("optimizer", keras_name, optimizer.arguments)
    rate = optimizer.learning_rate
    if rate is not None and not isinstance(rate, float):
        schedules = keras.optimizers.schedules
        schedule = _public(schedules, rate.name, "optimizer.learning_rate.name")
        _check_arguments("optimizer.learning_rate", schedule, rate.arguments)


def _check_data(data: Data) -> None:
    if data.name == MIX:
        check_mixture(data, _check_arguments)
        return
    if data.sets:
        raise ValueError(
            f"'data.sets' goes with name = '{MIX}' in [data], found name = "
            f"{data.name!r}. Leave one of the two out."
        )
    dataset = datasets.get(data.name)
    _check_arguments("data", dataset.load_data, data.arguments)
    space = data.feature_space or {}
    _check_arguments("data.feature_space", fit_feature_space, space)


def _check_arguments(key: str, function: Callable, arguments: Mapping) -> None:
    known = [
        name
        for name, parameter in inspect.signature(function).parameters.items()
        if parameter.kind is not parameter.VAR_KEYWORD
    ]
    for argument in arguments:
        if argument not in known:
            raise ValueError(
                f"unknown argument '{key}.arguments.{argument}' of "
                f"{function.__name__}. {did_you_mean(argument, known)}"
            )


def _public(module, name: str, key: str):
    known = [n for n in dir(module) if n[0].isupper() and n != "Task"]
    if name not in known:
        raise ValueError(
            f"{key}: unknown {name!r}. {did_you_mean(name, known)}"
        )
    return getattr(module, name)


def _keras_optimizer(name: str) -> type:
    known = {
        key.lower(): value
        for key, value in vars(keras.optimizers).items()
        if inspect.isclass(value)
        and key not in ("Optimizer", "LossScaleOptimizer")
    }
    if name.lower() not in known:
        raise ValueError(
            f"optimizer.name: unknown {name!r}. {did_you_mean(name, known)}"
        )
    return known[name.lower()]
