"""Recipes on a mixture of data sets: `name = "mix"` in `[data]`."""

from __future__ import annotations

import dataclasses
import inspect
from collections.abc import Callable, Mapping

import numpy as np
import tensorflow as tf

from mtl_keras import datasets
from mtl_keras.datasets import TableEncoding
from mtl_keras.datasets.mixing.schedules import make_plan
from mtl_keras.tasks import Task
from mtl_keras.zoo.recipe import Data, Recipe
from mtl_keras.zoo.recipe_data import RecipeData

MIX = "mix"
# Arguments that other tables of a recipe hold.
_OTHER_TABLES = {
    "datasets": "[data.sets]",
    "batch_size": "[fit]",
    "epochs": "[fit]",
    "seed": "seeds",
}
# Applied once, when the data is loaded.
_ADAPTATION = ("image_size", "channels")


def check_mixture(data: Data, check_arguments: Callable) -> None:
    """Checks the names in the table of a mixture.

    Args:
        data: The `[data]` table.
        check_arguments: Function of a key, a function and its arguments,
            which raises a `ValueError` for an unknown argument.

    Raises:
        ValueError: If the mixture has no data sets, or a name is unknown.
    """
    if not data.sets:
        raise ValueError(
            "'data.sets' is missing: name = 'mix' mixes the data sets of the "
            "tables [data.sets.<name>]."
        )
    for argument, table in _OTHER_TABLES.items():
        if argument in data.arguments:
            raise ValueError(
                f"'data.arguments.{argument}' is set in {table}; leave it out "
                "here."
            )
    check_arguments("data", datasets.mix, data.arguments)
    for key, table in data.sets.items():
        load_data = datasets.get(table.name or key).load_data
        check_arguments(f"data.sets.{key}", load_data, table.arguments)


def single_recipes(recipe: Recipe) -> dict[str, Recipe]:
    """Returns a recipe for each data set of a mixture.

    Args:
        recipe: A recipe with a mixture.

    Returns:
        Dict from the name of a data set to a `Recipe` with only this data set
        and its tasks.
    """
    return {
        key: recipe.model_copy(
            update={
                "data": Data(name=table.name or key, arguments=table.arguments),
                "tasks": None,
            }
        )
        for key, table in recipe.data.sets.items()
    }


def join(parts: Mapping[str, RecipeData], recipe: Recipe) -> RecipeData:
    """Joins the data of several data sets, with missing labels.

    Args:
        parts: Dict from the name of a data set to its data.
        recipe: The recipe with the mixture.

    Returns:
        A `RecipeData`. It has the tasks of the data sets if the recipe has no
        tasks. The samples of each data set are spread evenly over the
        validation and test parts.

    Raises:
        ValueError: If two data sets have different tasks of the same name,
            different inputs, or tables with different encodings.
    """
    _check_same_encoding(parts)
    arguments = recipe.data.arguments
    adaptation = {a: arguments[a] for a in _ADAPTATION if a in arguments}

    def concatenate(part: str):
        samples = {name: getattr(data, part) for name, data in parts.items()}
        joined = datasets.concatenate(samples, **adaptation)
        return joined, [len(x) for x, _ in samples.values()]

    train, counts = concatenate("train")
    ends = np.cumsum(counts)
    # Views, in which the labels of other data sets' tasks are missing.
    sets = {
        name: _select(train, slice(end - count, end))
        for name, count, end in zip(parts, counts, ends, strict=True)
    }
    return dataclasses.replace(
        next(iter(parts.values())),
        train=train,
        validation=_spread(*concatenate("validation")),
        test=_spread(*concatenate("test")),
        # The tasks of the recipe may differ from those of the data sets.
        tasks=_all_tasks(parts) if recipe.tasks is None else (),
        sets=sets,
        encoding=_join_encodings(parts),
        files={k: v for one in parts.values() for k, v in one.files.items()},
    )


def steps_per_epoch(recipe: Recipe, data: RecipeData) -> int:
    """Returns the number of training steps of an epoch on a mixture.

    Args:
        recipe: The recipe.
        data: The data of the recipe.
    """
    known = inspect.signature(make_plan).parameters
    arguments = {k: v for k, v in _mix_arguments(recipe).items() if k in known}
    sizes = {name: len(x) for name, (x, _) in data.sets.items()}
    return make_plan(sizes, batch_size=recipe.fit.batch_size, **arguments).steps


def mixed_batches(
    recipe: Recipe, data: RecipeData, seed: int
) -> tf.data.Dataset:
    """Returns the training batches of a mixture.

    Args:
        recipe: The recipe.
        data: The data of the recipe.
        seed: Seed of the order.

    Returns:
        A `tf.data.Dataset` with the batches of all epochs in sequence.
    """
    return datasets.mix(
        data.sets,
        batch_size=recipe.fit.batch_size,
        seed=seed,
        epochs=range(recipe.fit.epochs),
        **_mix_arguments(recipe),
    )


def _mix_arguments(recipe: Recipe) -> dict:
    arguments = {
        key: value
        for key, value in recipe.data.arguments.items()
        if key not in _ADAPTATION
    }
    if arguments.get("schedule") == "annealed":
        arguments.setdefault("anneal_epochs", recipe.fit.epochs)
    return arguments


def _all_tasks(parts: Mapping[str, RecipeData]) -> tuple[Task, ...]:
    found: dict[str, Task] = {}
    for name, data in parts.items():
        for task in data.tasks:
            other = found.setdefault(task.name, task)
            if other.get_config() != task.get_config():
                raise ValueError(
                    f"Task {task.name!r} of data set {name!r} differs from "
                    "the task of this name of another data set in "
                    "[data.sets]. Specify the tasks in [[tasks]]."
                )
    return tuple(found.values())


def _check_same_encoding(parts: Mapping[str, RecipeData]) -> None:
    """Raises a `ValueError` if data sets encode their inputs differently."""
    first = next(iter(parts))
    expected = parts[first].encoding
    for name, data in parts.items():
        found = data.encoding
        if (found is None) != (expected is None) or (
            found is not None and not found.codes_as(expected)
        ):
            raise ValueError(
                f"The data sets {first!r} and {name!r} in [data.sets] encode "
                "their inputs differently: each table is standardized and "
                "one-hot encoded on its own, so that one model cannot take "
                "both. Write the tables into one file, with empty cells where "
                "a task has no label (or in long form, with `task_column`), "
                "and read it with name = 'from_csv'."
            )


def _join_encodings(parts: Mapping[str, RecipeData]) -> TableEncoding | None:
    """Returns the common encoding, with the tasks of all tables."""
    encodings = [data.encoding for data in parts.values()]
    if encodings[0] is None:
        return None
    tasks = {task.name: task for one in encodings for task in one.tasks}
    columns, separators = {}, {}
    for one in encodings:
        columns |= one.columns
        separators |= one.separators
    return dataclasses.replace(
        encodings[0],
        tasks=tuple(tasks.values()),
        columns=columns,
        separators=separators,
    )


def _spread(samples, counts: list[int]):
    """Spreads the samples of each data set evenly."""
    places = np.concatenate([(np.arange(n) + 0.5) / n for n in counts])
    return _select(samples, np.argsort(places, kind="stable"))


def _select(samples, chosen):
    x, y = samples
    return x[chosen], {task: targets[chosen] for task, targets in y.items()}
