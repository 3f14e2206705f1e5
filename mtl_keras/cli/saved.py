"""Finds a saved model, and the test data that belongs to it."""

from __future__ import annotations

import os
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


def load_rows(path: Path, data: str | None, data_path: Path | None, model):
    """Loads what a model is to be evaluated on.

    Args:
        path: Path of a run folder or of a `.keras` file.
        data: Name of the data set, or `None` for that of the run's recipe.
        data_path: File that the data set is read from, if it is. One that the
            run was not trained on is read whole, by the codes of the run.
        model: The model, whose classes the file must have.

    Returns:
        The samples, `(x, y)` or `StreamedSamples`, with the targets of the
        model's tasks; and a text that says which rows these are. There are no
        targets where the file has no labels.

    Raises:
        ValueError: If no data set is named, neither here nor by a recipe, or
            the file has other columns or classes than the model.
    """
    from mtl_keras import datasets, zoo

    folder = path if path.is_dir() else path.parent
    recipe_path = folder / "recipe.toml"
    if data is None and not recipe_path.is_file():
        raise ValueError(
            f"No recipe lies beside '{path}' that says which data it is for: "
            f"add --data NAME, one of {datasets.names()}."
        )
    recipe = zoo.load_recipe(recipe_path) if recipe_path.is_file() else None
    name = data or recipe.data.name
    own = recipe is not None and name == recipe.data.name
    arguments = dict(recipe.data.arguments) if own else {}
    trained_on = arguments.get("path")
    dataset = datasets.get(name)
    other = data_path is not None and not _same_file(data_path, trained_on)
    if other and isinstance(dataset, datasets.FileDataSet):
        return _other_file(name, arguments, data_path, folder, model)
    if not own:
        arguments = {} if data_path is None else {"path": data_path}
        part = dataset.load_data(**arguments)[1]
    else:
        part = zoo.load_data(
            zoo.change_recipe(recipe, data_path=data_path)
        ).test
    return _select_tasks(part, model), f"the test part of {name}"


def _same_file(path: Path, other) -> bool:
    # Parts that have a file each are a dict, and none of them is a test part
    # of a file.
    is_path = isinstance(other, str | os.PathLike)
    return is_path and Path(other).resolve() == path.resolve()


def _other_file(name: str, arguments: dict, data_path: Path, folder, model):
    """All rows of a file that the model was not trained on."""
    from mtl_keras import datasets
    from mtl_keras.zoo.data import count_part, take_part
    from mtl_keras.zoo.evaluation import task_names

    whole = {"validation": 0, "test": 0}
    if name == "from_csv" and (folder / "encoding.json").is_file():
        splits = _by_codes_of_run(folder, data_path)
    else:
        known = {k: v for k, v in arguments.items() if k not in whole}
        known |= {"path": data_path, **whole}
        if "tasks" not in known:
            known["tasks"] = list(model.tasks)
        splits = datasets.get(name).read(**known)
        _check_classes(model, splits.tasks, data_path)
    part = _select_tasks(take_part(splits, "train"), model)
    rows = f"all {count_part(part)} rows of '{data_path}'"
    return part, rows + _missing_labels(model, task_names(part))


def _missing_labels(model, found: list[str]) -> str:
    """Tells which tasks have no labels, in words."""
    names = [task.name for task in getattr(model, "tasks", ())]
    missing = [name for name in names if name not in found]
    if not missing:
        return ""
    if not found:
        return ", which have no labels"
    return f", which have no labels of {', '.join(missing)}"


def _by_codes_of_run(folder: Path, data_path: Path):
    from mtl_keras import datasets
    from mtl_keras.datasets.reading.csv_table import read_header

    encoding = datasets.TableEncoding.load(folder)
    delimiter = encoding.reading.get("delimiter", ",")
    header = set(read_header(data_path, "path", delimiter))
    labelled = [
        name for name, its in encoding.columns.items() if header.issuperset(its)
    ]
    return datasets.from_csv(
        data_path,
        labelled or None,
        like=encoding,
        labels=bool(labelled),
        validation=0,
        test=0,
    )


def _check_classes(model, tasks, data_path: Path) -> None:
    """Raises a `ValueError` if a file has other classes than a model."""
    found = {task.name: task for task in tasks}
    for task in model.tasks:
        other = found.get(task.name)
        names = getattr(task, "class_names", None)
        its = getattr(other, "class_names", None)
        if other is None or names is None or its is None:
            continue
        if tuple(names) != tuple(its):
            raise ValueError(
                f"Task {task.name!r}: '{data_path}' has the classes "
                f"{list(its)}, the model {list(names)}, so that their numbers "
                "mean different things. Say the classes of the model as "
                "class_names of the task."
            )


def _select_tasks(part, model):
    """Leaves out the targets that no task of a model asks for."""
    from mtl_keras.datasets.streamed_samples import StreamedSamples

    names = [task.name for task in getattr(model, "tasks", ())]
    if isinstance(part, StreamedSamples):
        return part.select_tasks(names)
    x, y = part
    return x, {name: targets for name, targets in y.items() if name in names}
