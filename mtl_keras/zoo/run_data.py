"""RunData: the tasks and files of a run, kept in its folder."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import keras

from mtl_keras.datasets import TableEncoding
from mtl_keras.datasets.table_encoding import ENCODING
from mtl_keras.tasks import Task
from mtl_keras.training.backups.atomic_file import write_text_atomically
from mtl_keras.zoo.data_files import DataFiles, list_changes
from mtl_keras.zoo.recipe_data import RecipeData

DATA = "data.json"


@dataclasses.dataclass(frozen=True)
class RunData:
    """The tasks and files that a model is trained on.

    A run saves it as `data.json` before the first step: `"tasks"` with the
    classes in the order of the model's outputs (classes without names are
    numbered from 0), and `"files"`, their sizes and hashes.

    Args:
        tasks: Tuple of the tasks.
        files: The files, from `describe_files`.
    """

    tasks: tuple[Task, ...]
    files: DataFiles

    @classmethod
    def describe(cls, data: RecipeData) -> RunData:
        """Describes the data of a recipe.

        Args:
            data: The data, from `load_data`.
        """
        return cls(tuple(data.tasks), dict(data.files))

    def save(self, folder: Path) -> None:
        """Saves the description as `data.json`, atomically.

        Args:
            folder: Folder of the run.
        """
        text = json.dumps(self._values(), indent=2, ensure_ascii=False)
        write_text_atomically(folder / DATA, text + "\n")

    @classmethod
    def load(cls, folder: Path) -> RunData | None:
        """Loads a description.

        Args:
            folder: Folder of the run.

        Returns:
            The `RunData`, or `None` if the folder does not hold one.
        """
        path = folder / DATA
        if not path.is_file():
            return None
        saved = json.loads(path.read_text(encoding="utf-8"))
        tasks = keras.saving.deserialize_keras_object(saved["tasks"])
        return cls(tuple(tasks), saved["files"])

    def list_changes(self, other: RunData) -> list[str]:
        """Lists the differences to the data of another time.

        Args:
            other: The newer description.

        Returns:
            List of strings; empty if nothing differs.
        """
        before, now = self._values(), other._values()
        changes = list_changes(before["files"], now["files"])
        if not changes and before["tasks"] != now["tasks"]:
            changes.append(_describe_tasks(self.tasks, other.tasks))
        return changes

    def _values(self) -> dict[str, Any]:
        values = {
            "tasks": keras.saving.serialize_keras_object(list(self.tasks)),
            "files": self.files,
        }
        # Lists and tuples are the same in JSON.
        return json.loads(json.dumps(values))


def check_same_data(data: RecipeData, folder: Path, *, has_begun: bool) -> None:
    """Checks that a run was begun with the same data.

    Args:
        data: The data to continue with.
        folder: Folder of the run.
        has_begun: Whether the folder has a backup or results.

    Raises:
        ValueError: If the files, tasks, classes or encodings differ, or the
            folder does not say what its data were.
    """
    before = RunData.load(folder)
    if before is None:
        if not has_begun:
            return
        raise ValueError(
            f"The run '{folder}' has no {DATA}, so the data that it began with "
            "are unknown. Choose another output, or overwrite it "
            "(--overwrite)."
        )
    changes = before.list_changes(RunData.describe(data))
    if not changes and not has_same_encoding(data, folder):
        changes = ["the encoding of its inputs"]
    if changes:
        raise ValueError(
            f"The data of the run '{folder}' have changed since it began: "
            f"{'; '.join(changes)}. Restore them, or choose another output, or "
            "overwrite it (--overwrite)."
        )


def has_same_encoding(data: RecipeData, folder: Path) -> bool:
    """Returns whether data are encoded as those of a run on a table.

    Args:
        data: The data, from `load_data`.
        folder: Folder of the run.
    """
    saved = (folder / ENCODING).is_file()
    if data.encoding is None or not saved:
        return data.encoding is None and not saved
    return data.encoding.codes_as(TableEncoding.load(folder))


def _describe_tasks(before: tuple[Task, ...], now: tuple[Task, ...]) -> str:
    configs: list[Mapping[str, Any]] = [
        {
            task.name: {"kind": type(task).__name__, **task.get_config()}
            for task in tasks
        }
        for tasks in (before, now)
    ]
    old, new = configs
    if list(old) != list(new):
        return f"the tasks were {list(old)} and are {list(new)}"
    name = next(name for name in old if old[name] != new[name])
    key = next(k for k in old[name] if old[name][k] != new[name].get(k))
    return (
        f"{key} of task {name!r} was {old[name][key]!r} and is "
        f"{new[name].get(key)!r}"
    )
