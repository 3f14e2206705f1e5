"""Finds a saved model, and the test data that belongs to it."""

from __future__ import annotations

from pathlib import Path


def load_saved(path: Path):
    """Loads the model of a run folder or of a `.keras` file.

    Args:
        path: Path of either.

    Returns:
        The model.
    """
    from mtl_keras.pretrained import load_model

    return load_model(path / "model.keras" if path.is_dir() else path)


def load_test_data(path: Path, data: str | None, data_path: Path | None):
    """Loads the test part of a data set.

    Args:
        path: Path of a run folder or of a `.keras` file.
        data: Name of the data set, or `None` for that of the run's recipe.
        data_path: File that the data set is read from, if it is.

    Returns:
        `(x, y)`.

    Raises:
        ValueError: If no data set is named, neither here nor by a recipe.
    """
    from mtl_keras import datasets, zoo

    recipe_path = (path if path.is_dir() else path.parent) / "recipe.toml"
    if data is None and not recipe_path.is_file():
        raise ValueError(
            f"No recipe lies beside '{path}' that says which data it is for: "
            f"add --data NAME, one of {datasets.names()}."
        )
    if data is not None:
        arguments = {} if data_path is None else {"path": data_path}
        return datasets.get(data).load_data(**arguments)[1]
    recipe = zoo.load_recipe(recipe_path)
    recipe = zoo.change_recipe(recipe, data_path=data_path)
    return zoo.load_data(recipe).test


def only_tasks_of(model, y: dict) -> dict:
    """Leaves out the targets that no task of a model asks for.

    Args:
        model: The model.
        y: Dict from name to targets.
    """
    names = [task.name for task in getattr(model, "tasks", ())]
    return {name: targets for name, targets in y.items() if name in names}
