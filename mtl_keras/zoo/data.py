"""Loads the data of a recipe and splits it into parts."""

from __future__ import annotations

import dataclasses
import inspect

import numpy as np
from keras.utils import FeatureSpace

from mtl_keras import datasets, tasks
from mtl_keras.datasets.reading.folder_source import FolderSource
from mtl_keras.datasets.samples import select
from mtl_keras.datasets.streamed_samples import StreamedSamples
from mtl_keras.spelling import did_you_mean
from mtl_keras.tasks import Task
from mtl_keras.zoo import mixture
from mtl_keras.zoo.class_names import add_class_names
from mtl_keras.zoo.data_files import describe_files
from mtl_keras.zoo.encoding import encode_parts
from mtl_keras.zoo.recipe import Recipe
from mtl_keras.zoo.recipe_data import Part, RecipeData, count_part

DEFAULT_VALIDATION_SPLIT = 0.1


def load_data(
    recipe: Recipe,
    *,
    in_memory: bool = False,
    feature_space: FeatureSpace | None = None,
) -> RecipeData:
    """Loads the data set of a recipe, with a validation part.

    The validation part is drawn at random from the training part. It is the
    same for all seeds of a recipe, so that their results are comparable. Data
    sets with `load_splits` and custom files (`from_csv` and others) have their
    own validation part.

    Args:
        recipe: The recipe.
        in_memory: Whether to read folders of images into memory instead of
            streaming them. Defaults to `False`.
        feature_space: The encoding of the columns of a built-in data set, such
            as that of a run. Defaults to one that is fitted to the training
            part.

    Returns:
        A `RecipeData` with the targets of the recipe's tasks only.

    Raises:
        FileNotFoundError: If the file of the data set does not exist.
        ValueError: If a task has no targets, if the validation part takes all
            samples, or if an argument of the data set is missing.
    """
    # First, so that a later change of the files does not go unnoticed.
    files = describe_files(recipe.data.name, recipe.data.arguments)
    data = _load(recipe, feature_space)
    data = dataclasses.replace(data, files={**data.files, **files})
    return _read_parts(data) if in_memory else data


def _load(recipe: Recipe, feature_space=None) -> RecipeData:
    if recipe.data.sets:
        return _load_mixture(recipe)
    dataset = datasets.get(recipe.data.name)
    _check_complete(recipe, dataset)
    if isinstance(dataset, datasets.FileDataSet):
        return _load_files(recipe, dataset)
    chosen = make_tasks(recipe, dataset)
    if hasattr(dataset, "load_splits"):
        return _load_splits(recipe, dataset, chosen)
    train, test = dataset.load_data(**recipe.data.arguments)
    return _hold_back(recipe, train, test, chosen, feature_space)


def _load_mixture(recipe: Recipe) -> RecipeData:
    recipes = mixture.single_recipes(recipe)
    parts = {
        name: load_data(single, in_memory=True)
        for name, single in recipes.items()
    }
    data = mixture.join(parts, recipe)
    if recipe.tasks is None:
        return data
    found = [
        task
        for name, one in parts.items()
        if isinstance(
            datasets.get(recipes[name].data.name), datasets.FileDataSet
        )
        for task in one.tasks
    ]
    chosen = add_class_names(make_tasks(recipe, None), found)
    return dataclasses.replace(
        data,
        train=_select(data.train, chosen),
        validation=_select(data.validation, chosen),
        test=_select(data.test, chosen),
        tasks=chosen,
        sets={name: _select(one, chosen) for name, one in data.sets.items()},
    )


def _check_complete(recipe: Recipe, dataset) -> None:
    """Raises a `ValueError` if an argument of `load_data` is missing."""
    name, given = recipe.data.name, recipe.data.arguments
    for argument, known in inspect.signature(
        dataset.load_data
    ).parameters.items():
        required = getattr(dataset, "required", ())
        optional = known.default is not known.empty
        if argument in given or (optional and argument not in required):
            continue
        if argument == "path":
            raise ValueError(
                f"Data set {name!r} is in a file; pass its path "
                "(--data-path on the command line, `path` in "
                f"[data.arguments]). {recipe.data.origin}".rstrip()
            )
        if argument == "tasks" and recipe.tasks is not None:
            continue
        raise ValueError(
            f"Data set {name!r} needs `{argument}`; add it to "
            f"[data.arguments] (--data-argument '{argument}=[...]' on the "
            "command line)."
        )


def _load_files(recipe: Recipe, dataset: datasets.FileDataSet) -> RecipeData:
    """Reads custom files, which may have a validation part."""
    arguments = dict(recipe.data.arguments)
    named = None if recipe.tasks is None else make_tasks(recipe, dataset)
    if named is not None:
        arguments.setdefault("tasks", named)
    splits = dataset.read(**arguments)
    # The file may have added the names of classes to the tasks.
    chosen = splits.tasks if arguments.get("tasks") is named else named
    chosen = splits.tasks if chosen is None else chosen
    chosen = add_class_names(chosen, splits.tasks)
    train, test = take_part(splits, "train"), take_part(splits, "test")
    if splits.validation is None:
        data = _hold_back(recipe, train, test, chosen)
        return dataclasses.replace(data, encoding=splits.encoding)
    _check_not_held_back(
        recipe, " Set `validation` in [data.arguments] instead."
    )
    return RecipeData(
        train=_select(train, chosen),
        validation=_select(take_part(splits, "validation"), chosen),
        test=_select(test, chosen),
        tasks=chosen,
        encoding=splits.encoding,
    )


def _read_parts(data: RecipeData) -> RecipeData:
    """Reads streamed parts into memory."""
    read = {
        name: part.arrays()
        for name in ("train", "validation", "test")
        if isinstance(part := getattr(data, name), StreamedSamples)
    }
    return dataclasses.replace(data, **read)


def _load_splits(recipe: Recipe, dataset, chosen) -> RecipeData:
    """Loads a data set that has a validation part."""
    _check_not_held_back(recipe, " Leave them out.")
    parts = dataset.load_splits(**recipe.data.arguments)
    return RecipeData(*(_select(part, chosen) for part in parts), chosen)


def _check_not_held_back(recipe: Recipe, advice: str) -> None:
    if recipe.fit.validation_split or recipe.fit.num_validation:
        raise ValueError(
            "validation_split and num_validation in [fit] are for data sets "
            f"without a validation part, but {recipe.data.name!r} has one."
            f"{advice}"
        )


def _hold_back(
    recipe: Recipe, train, test, chosen, feature_space=None
) -> RecipeData:
    train, test = _select(train, chosen), _select(test, chosen)
    order = np.random.default_rng(0).permutation(count_part(train))
    count = _num_validation(recipe, len(order))
    if isinstance(train, StreamedSamples):
        held_back, rest = order[:count], order[count:]
        return RecipeData(
            train.select(rest), train.select(held_back), test, chosen
        )
    parts = {
        "train": select(*train, order[count:]),
        "validation": select(*train, order[:count]),
        "test": test,
    }
    inputs = {name: x for name, (x, _) in parts.items()}
    space, x = encode_parts(recipe, inputs, feature_space)
    return RecipeData(
        **{name: (x[name], y) for name, (_, y) in parts.items()},
        tasks=chosen,
        feature_space=space,
    )


def make_tasks(recipe: Recipe, dataset) -> tuple[Task, ...]:
    """Makes the tasks of a recipe, which default to those of its data set.

    Args:
        recipe: The recipe.
        dataset: The data set, from `mtl_keras.datasets.get`; or `None` if the
            recipe has tasks.

    Returns:
        Tuple of the tasks.
    """
    if recipe.tasks is None:
        return tuple(dataset.tasks())
    return tuple(
        getattr(tasks, table.kind)(table.name, **table.arguments)
        for table in recipe.tasks
    )


def take_part(splits: datasets.Splits, name: str) -> Part:
    """Returns a part of custom files.

    Args:
        splits: The splits of the files.
        name: Name of the part.

    Returns:
        Arrays `(x, y)`, or `StreamedSamples` for a folder of images.
    """
    streams = isinstance(splits.source, FolderSource)
    if streams and name in splits.indices:
        return StreamedSamples(splits.source, splits.indices[name])
    return splits.arrays(name)


def _select(part: Part, chosen: tuple[Task, ...]) -> Part:
    streams = isinstance(part, StreamedSamples)
    x, y = part.element_spec if streams else part
    for task in chosen:
        if task.name not in y:
            raise ValueError(
                f"Task {task.name!r} has no targets in the data set. "
                f"{did_you_mean(task.name, y)}"
            )
    if streams:
        return part.select_tasks([task.name for task in chosen])
    return x, {task.name: y[task.name] for task in chosen}


def _num_validation(recipe: Recipe, total: int) -> int:
    split = recipe.fit.validation_split or DEFAULT_VALIDATION_SPLIT
    count = recipe.fit.num_validation or max(1, round(split * total))
    if count >= total:
        raise ValueError(
            f"The validation part takes {count} of {total} training samples; "
            "leave some to train on (num_validation or validation_split in "
            "[fit])."
        )
    return count
