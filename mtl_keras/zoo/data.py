"""Loads the data of a recipe and parts it."""

from __future__ import annotations

import dataclasses
import inspect

import numpy as np
from keras.utils import FeatureSpace

from mtl_keras import datasets, tasks
from mtl_keras.datasets.reading.folder_source import FolderSource
from mtl_keras.datasets.samples import Samples, count_samples, select
from mtl_keras.datasets.streamed_samples import StreamedSamples
from mtl_keras.spelling import did_you_mean
from mtl_keras.tasks import Task
from mtl_keras.zoo import mixture
from mtl_keras.zoo.encoding import encode_parts
from mtl_keras.zoo.recipe import Recipe

DEFAULT_VALIDATION_SPLIT = 0.1
Part = Samples | StreamedSamples


@dataclasses.dataclass(frozen=True)
class RecipeData:
    """The three parts of a data set, and the tasks on it.

    Each part is `(x, y)`, arrays; or, where it lies in a folder of images,
    `StreamedSamples`.

    Args:
        train: Samples to train on.
        validation: Samples of the data set's training part, held back.
        test: Samples for the final evaluation and nothing else.
        tasks: The tasks.
        sets: Of a mixture, the training parts by data set.
        feature_space: What encoded the columns of a data set.
        encoding: The `TableEncoding` of a table of your own.
    """

    train: Part
    validation: Part
    test: Part
    tasks: tuple[Task, ...]
    sets: dict[str, Samples] = dataclasses.field(default_factory=dict)
    feature_space: FeatureSpace | None = None
    encoding: datasets.TableEncoding | None = None


def load_data(recipe: Recipe, *, in_memory: bool = False) -> RecipeData:
    """Loads the data set of a recipe and holds a validation part back.

    The validation part is drawn at random from the training part, the same
    for all seeds of a recipe, so that their results can be compared. Files of
    your own (`from_csv` and the like) bring theirs, and so do data sets with
    `load_splits`.

    Args:
        recipe: The recipe.
        in_memory: Whether to read folders of images into memory, which stream
            otherwise. Defaults to `False`.

    Returns:
        The parts, with the targets of the recipe's tasks alone.

    Raises:
        FileNotFoundError: If the data set's file is not there.
        ValueError: If a task has no targets, the validation part takes all, or
            an argument of the data set is missing.
    """
    data = _load(recipe)
    return _read_parts(data) if in_memory else data


def _load(recipe: Recipe) -> RecipeData:
    if recipe.data.sets:
        return _load_mixture(recipe)
    dataset = datasets.get(recipe.data.name)
    _check_complete(recipe, dataset)
    if isinstance(dataset, datasets.FileDataSet):
        return _load_files(recipe, dataset)
    chosen = _tasks(recipe, dataset)
    if hasattr(dataset, "load_splits"):
        return _load_splits(recipe, dataset, chosen)
    train, test = dataset.load_data(**recipe.data.arguments)
    return _hold_back(recipe, train, test, chosen)


def _load_mixture(recipe: Recipe) -> RecipeData:
    alone = mixture.single_recipes(recipe)
    parts = {
        name: load_data(single, in_memory=True)
        for name, single in alone.items()
    }
    data = mixture.join(parts, recipe)
    if recipe.tasks is None:
        return data
    chosen = _tasks(recipe, None)
    return RecipeData(
        train=_select(data.train, chosen),
        validation=_select(data.validation, chosen),
        test=_select(data.test, chosen),
        tasks=chosen,
        sets={name: _select(one, chosen) for name, one in data.sets.items()},
    )


def _check_complete(recipe: Recipe, dataset) -> None:
    """Raises a `ValueError` if `load_data` needs an argument more."""
    name, said = recipe.data.name, recipe.data.arguments
    for argument, known in inspect.signature(
        dataset.load_data
    ).parameters.items():
        required = getattr(dataset, "required", ())
        optional = known.default is not known.empty
        if argument in said or (optional and argument not in required):
            continue
        if argument == "path":
            raise ValueError(
                f"Data set {name!r} is read from a file; pass its path "
                "(--data-path on the command line, `path` in "
                f"[data.arguments]). {recipe.data.origin}".rstrip()
            )
        if argument == "tasks" and recipe.tasks is not None:
            continue
        raise ValueError(
            f"Data set {name!r} needs `{argument}`; say it in "
            f"[data.arguments] (--data-argument '{argument}=[...]' on the "
            "command line)."
        )


def _load_files(recipe: Recipe, dataset: datasets.FileDataSet) -> RecipeData:
    """Reads files of the user, which may bring a validation part along."""
    arguments = dict(recipe.data.arguments)
    named = None if recipe.tasks is None else _tasks(recipe, dataset)
    if named is not None:
        arguments.setdefault("tasks", named)
    splits = dataset.read(**arguments)
    # The file may have told the tasks of the recipe the names of classes.
    chosen = splits.tasks if arguments.get("tasks") is named else named
    chosen = splits.tasks if chosen is None else chosen
    train, test = take_part(splits, "train"), take_part(splits, "test")
    if splits.validation is None:
        data = _hold_back(recipe, train, test, chosen)
        return dataclasses.replace(data, encoding=splits.encoding)
    _check_not_held_back(
        recipe, " Say `validation` in [data.arguments] instead."
    )
    return RecipeData(
        train=_select(train, chosen),
        validation=_select(take_part(splits, "validation"), chosen),
        test=_select(test, chosen),
        tasks=chosen,
        encoding=splits.encoding,
    )


def _read_parts(data: RecipeData) -> RecipeData:
    """Reads parts into memory that stream."""
    read = {
        name: part.arrays()
        for name in ("train", "validation", "test")
        if isinstance(part := getattr(data, name), StreamedSamples)
    }
    return dataclasses.replace(data, **read)


def _load_splits(recipe: Recipe, dataset, chosen) -> RecipeData:
    """Loads a data set that has a validation part of its own."""
    _check_not_held_back(recipe, " Leave them out.")
    parts = dataset.load_splits(**recipe.data.arguments)
    return RecipeData(*(_select(part, chosen) for part in parts), chosen)


def _check_not_held_back(recipe: Recipe, advice: str) -> None:
    if recipe.fit.validation_split or recipe.fit.num_validation:
        raise ValueError(
            "validation_split and num_validation in [fit] hold back samples "
            f"where the data set does not, but {recipe.data.name!r} does."
            f"{advice}"
        )


def _hold_back(recipe: Recipe, train, test, chosen) -> RecipeData:
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
    space, x = encode_parts(recipe, {name: x for name, (x, _) in parts.items()})
    return RecipeData(
        **{name: (x[name], y) for name, (_, y) in parts.items()},
        tasks=chosen,
        feature_space=space,
    )


def _tasks(recipe: Recipe, dataset) -> tuple[Task, ...]:
    if recipe.tasks is None:
        return tuple(dataset.tasks())
    return tuple(
        getattr(tasks, table.kind)(table.name, **table.arguments)
        for table in recipe.tasks
    )


def take_part(splits: datasets.Splits, name: str) -> Part:
    """Returns a part of files of the user, in memory or still to be read.

    Args:
        splits: The files.
        name: Name of the part.

    Returns:
        Arrays `(x, y)`, or `StreamedSamples` of a folder of images.
    """
    streams = isinstance(splits.source, FolderSource)
    if streams and name in splits.indices:
        return StreamedSamples(splits.source, splits.indices[name])
    return splits.arrays(name)


def count_part(part: Part) -> int:
    """Returns the number of samples of a part.

    Args:
        part: A part of a `RecipeData`.
    """
    if isinstance(part, StreamedSamples):
        return len(part)
    return count_samples(part[0])


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
