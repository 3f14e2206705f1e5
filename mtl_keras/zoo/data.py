"""Loads the data of a recipe and parts it."""

from __future__ import annotations

import dataclasses

import numpy as np

from mtl_keras import datasets, tasks
from mtl_keras.spelling import did_you_mean
from mtl_keras.tasks import Task
from mtl_keras.zoo.recipe import Recipe

DEFAULT_VALIDATION_SPLIT = 0.1
Samples = tuple[np.ndarray, dict[str, np.ndarray]]


@dataclasses.dataclass(frozen=True)
class RecipeData:
    """The three parts of a data set, and the tasks on it.

    Args:
        train: `(x, y)` to train on.
        validation: `(x, y)`, a part of the data set's training part.
        test: `(x, y)`, for the final evaluation and nothing else.
        tasks: The tasks.
    """

    train: Samples
    validation: Samples
    test: Samples
    tasks: tuple[Task, ...]


def load_data(recipe: Recipe) -> RecipeData:
    """Loads the data set of a recipe and holds a validation part back.

    The validation part is drawn at random from the training part, the same
    for all seeds of a recipe, so that their results can be compared.

    Args:
        recipe: The recipe.

    Returns:
        The parts, with the targets of the recipe's tasks alone.

    Raises:
        FileNotFoundError: If the data set's file is not there.
        ValueError: If a task has no targets, or the validation part takes all.
    """
    dataset = datasets.get(recipe.data.name)
    try:
        train, test = dataset.load_data(**recipe.data.arguments)
    except TypeError as error:
        if "path" in recipe.data.arguments or "path" not in str(error):
            raise
        raise ValueError(
            f"Data set {recipe.data.name!r} is read from a file; pass its "
            f"path (--data-path on the command line, `path` in "
            f"[data.arguments]). {recipe.data.origin}".rstrip()
        ) from error
    chosen = _tasks(recipe, dataset)
    train, test = _select(train, chosen), _select(test, chosen)
    order = np.random.default_rng(0).permutation(len(train[0]))
    count = _num_validation(recipe, len(order))
    return RecipeData(
        train=_take(train, order[count:]),
        validation=_take(train, order[:count]),
        test=test,
        tasks=chosen,
    )


def _tasks(recipe: Recipe, dataset) -> tuple[Task, ...]:
    if recipe.tasks is None:
        return tuple(dataset.tasks())
    return tuple(
        getattr(tasks, table.kind)(table.name, **table.arguments)
        for table in recipe.tasks
    )


def _select(samples: Samples, chosen: tuple[Task, ...]) -> Samples:
    x, y = samples
    for task in chosen:
        if task.name not in y:
            raise ValueError(
                f"Task {task.name!r} has no targets in the data set. "
                f"{did_you_mean(task.name, y)}"
            )
    return x, {task.name: y[task.name] for task in chosen}


def _take(samples: Samples, indices: np.ndarray) -> Samples:
    x, y = samples
    return x[indices], {name: values[indices] for name, values in y.items()}


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
