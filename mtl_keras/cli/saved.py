"""Loads a saved model and its test data."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any


def load_saved(path: Path):
    """Loads the model of a run folder or a `.keras` file.

    Args:
        path: Path of the folder or file.

    Returns:
        The model.
    """
    from mtl_keras.pretrained import load_model

    return load_model(path / "model.keras" if path.is_dir() else path)


def load_rows(
    path: Path,
    data: str | None,
    data_path: Path | None,
    model,
    extra: Mapping[str, Any] | None = None,
):
    """Loads the data to evaluate a model on.

    Args:
        path: Path of a run folder or a `.keras` file.
        data: Name of the data set, or `None` for the one of the run's recipe.
        data_path: File of the data set, or `None`. All rows of a file that the
            run was not trained on are read, by the codes of the run.
        model: The model.
        extra: Further arguments that determine how such a file is read.
            Defaults to none.

    Returns:
        The samples, `(x, y)` or `StreamedSamples`, with the targets of the
        model's tasks that have labels; and a description of the rows.

    Raises:
        ValueError: If neither `data` nor a recipe names a data set, if the
            data of the run have changed, or if the file has other columns or
            classes than the run.
    """
    from mtl_keras import datasets, zoo

    folder = path if path.is_dir() else path.parent
    recipe_path = folder / "recipe.toml"
    if data is None and not recipe_path.is_file():
        raise ValueError(
            f"There is no recipe beside '{path}', which names its data set: "
            f"add --data NAME, one of {datasets.names()}."
        )
    recipe = zoo.load_recipe(recipe_path) if recipe_path.is_file() else None
    name = data or recipe.data.name
    if recipe is not None and name != recipe.data.name:
        recipe = None  # it describes other data
    if recipe is not None and recipe.data.sets:
        if data_path is not None:
            raise ValueError(
                f"The run '{folder}' was trained on several data sets, so "
                "that --data-path alone is ambiguous. Add --data NAME, one of "
                f"{datasets.names()}."
            )
        part = _test_part(recipe, folder)
        return _select_tasks(part, model), f"the test part of {name}"
    is_file = isinstance(datasets.get(name), datasets.FileDataSet)
    trained_on = None if recipe is None else recipe.data.arguments.get("path")
    same = data_path is None or _is_same_file(data_path, trained_on)
    changes = []
    if recipe is not None and same:
        changes = _list_changes(recipe, folder, is_file)
    if is_file and data_path is not None and (not same or changes):
        return _other_file(name, recipe, data_path, folder, model, extra)
    if extra:
        raise ValueError(
            "--data-argument determines how another file is read: add "
            "--data-path FILE, or leave it out."
        )
    if changes:
        raise ValueError(_explain_changes(folder, changes, is_file))
    if recipe is not None and same:
        part = _test_part(recipe, folder)
    else:
        part = _fixed_part(name, recipe, data_path, folder)
    return _select_tasks(part, model), f"the test part of {name}"


def _is_same_file(path: Path, other) -> bool:
    # A dict has a file for each part, none of which has a test part.
    is_path = isinstance(other, str | os.PathLike)
    return is_path and Path(other).resolve() == path.resolve()


def _list_changes(recipe, folder: Path, is_file: bool) -> list[str]:
    """Lists the changes of the files of a run since its training."""
    from mtl_keras.zoo.data_files import describe_files, list_changes
    from mtl_keras.zoo.run_data import DATA, RunData

    saved = RunData.load(folder)
    if saved is None:
        # The classes and parts of built-in data sets are fixed.
        return [f"without its {DATA}, they are unknown"] if is_file else []
    name, arguments = recipe.data.name, recipe.data.arguments
    return list_changes(saved.files, describe_files(name, arguments))


def _explain_changes(folder: Path, changes: list[str], is_file: bool) -> str:
    whole = " --data-path FILE evaluates all rows of a file." if is_file else ""
    return (
        f"The data of the run '{folder}' may not be those of its training: "
        f"{'; '.join(changes)}. The test part could contain other rows. "
        f"Restore the files.{whole}"
    )


def _test_part(recipe, folder: Path):
    """Loads the test part of a run, whose data must not have changed."""
    from mtl_keras import zoo
    from mtl_keras.zoo.encoding import load_encoding
    from mtl_keras.zoo.run_data import RunData, has_same_encoding

    saved = RunData.load(folder)
    space = None
    if recipe.data.feature_space is not None:
        space = load_encoding(folder)
    data = zoo.load_data(recipe, feature_space=space)
    changes = []
    if saved is not None:
        changes = saved.list_changes(RunData.describe(data))
    if not changes and not has_same_encoding(data, folder):
        changes = ["its inputs are encoded differently"]
    if changes:
        raise ValueError(_explain_changes(folder, changes, True))
    return data.test


def _fixed_part(name: str, recipe, data_path: Path | None, folder: Path):
    """Loads the test part of a built-in data set, whose classes are fixed."""
    from mtl_keras import datasets, zoo
    from mtl_keras.zoo.encoding import encode_inputs, load_encoding

    if recipe is not None:
        space = load_encoding(folder)
        recipe = zoo.change_recipe(recipe, data_path=data_path)
        return zoo.load_data(recipe, feature_space=space).test
    if (folder / "encoding.json").is_file():
        raise ValueError(
            f"The model in '{folder}' takes the encoded columns of a table, "
            f"which {name} does not have. Pass a csv file, with --data "
            "from_csv."
        )
    arguments = {} if data_path is None else {"path": data_path}
    dataset = datasets.get(name)
    if isinstance(dataset, datasets.FileDataSet):
        raise ValueError(
            f"Data set {name!r} is in a file; pass its path (--data-path)."
        )
    x, y = dataset.load_data(**arguments)[1]
    return encode_inputs(x, folder), y


def _other_file(name: str, recipe, data_path: Path, folder: Path, model, extra):
    """Loads all rows of a file by the codes of a run."""
    from mtl_keras import datasets
    from mtl_keras.zoo.data import make_tasks
    from mtl_keras.zoo.evaluation import task_names
    from mtl_keras.zoo.recipe_data import count_part
    from mtl_keras.zoo.run_data import RunData
    from mtl_keras.zoo.run_file import RunCodes, read_run_file

    saved = RunData.load(folder)
    names = [task.name for task in getattr(model, "tasks", ())]
    tasks = getattr(model, "tasks", ()) if saved is None else saved.tasks
    arguments = {} if recipe is None else dict(recipe.data.arguments)
    given = arguments.get("tasks")
    if given is None and recipe is not None and recipe.tasks is not None:
        given = make_tasks(recipe, datasets.get(name))
    codes = RunCodes(
        folder,
        [task for task in tasks if task.name in names],
        saved is not None,
        arguments,
        given,
    )
    part = read_run_file(name, data_path, codes, extra or {})
    part = _select_tasks(part, model)
    rows = f"all {count_part(part)} rows of '{data_path}'"
    return part, rows + _missing_labels(names, task_names(part))


def _missing_labels(names: list[str], found: list[str]) -> str:
    """Describes which tasks have no labels."""
    missing = [name for name in names if name not in found]
    if not missing:
        return ""
    if not found:
        return ", which have no labels"
    return f", which have no labels of {', '.join(missing)}"


def _select_tasks(part, model):
    """Selects the targets of the tasks of a model."""
    from mtl_keras.datasets.streamed_samples import StreamedSamples

    names = [task.name for task in getattr(model, "tasks", ())]
    if isinstance(part, StreamedSamples):
        return part.select_tasks(names)
    x, y = part
    return x, {name: targets for name, targets in y.items() if name in names}
