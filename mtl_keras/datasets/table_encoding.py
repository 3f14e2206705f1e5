"""TableEncoding: the codes of the columns and classes of a table."""

from __future__ import annotations

import dataclasses
import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import keras
import numpy as np
from keras.utils import FeatureSpace

from mtl_keras import tables
from mtl_keras.datasets.reading.target_spec import TargetSpec
from mtl_keras.safe_name import safe_names
from mtl_keras.tables.encode_columns import encoded_names
from mtl_keras.tasks import Task
from mtl_keras.training.backups.atomic_file import write_text_atomically

FEATURE_SPACE = "feature_space.keras"
# Keras requires the suffix.
_PARTIAL = "feature_space.partial.keras"
ENCODING = "encoding.json"


@dataclasses.dataclass(frozen=True, eq=False)
class TableEncoding:
    """Codes of a table's inputs and classes, which belong to a model.

    `from_csv` and `from_dataframe` fit one to the training part. `like=` reads
    another file by the same codes, and a model that takes raw columns contains
    the encoding.

    Args:
        feature_space: The `keras.utils.FeatureSpace` that encodes the inputs.
        inputs: Tuple of the names of the input columns.
        tasks: Tuple of the tasks, which keep the names of their classes.
        columns: Dict from task name to the names of its columns.
        separators: Dict from task name to the string between several labels
            in a cell. Defaults to none.
        reading: Dict of arguments of `from_csv` by which cells are read.
            Defaults to none.
        date_forms: Dict from the name of a column of dates or times to their
            form: `"day_first"`, `"month_first"`, `"date"` for others, or
            `"time"`. Defaults to none.

    Example:

    ```python
    data = mtl_keras.datasets.from_csv("patients.csv", tasks=["stage"])
    data.encoding.save("run")
    encoding = mtl_keras.datasets.TableEncoding.load("run")
    new = mtl_keras.datasets.from_csv("new.csv", like=encoding, labels=False)
    ```
    """

    feature_space: FeatureSpace
    inputs: tuple[str, ...]
    tasks: tuple[Task, ...]
    columns: Mapping[str, tuple[str, ...]]
    separators: Mapping[str, str] = dataclasses.field(default_factory=dict)
    reading: Mapping[str, Any] = dataclasses.field(default_factory=dict)
    date_forms: Mapping[str, str] = dataclasses.field(default_factory=dict)

    @property
    def input_names(self) -> tuple[str, ...]:
        """Names of the numbers of an encoded row, such as `"city=Rome"`."""
        original = {
            safe: name for name, safe in safe_names(self.inputs).items()
        }
        names = []
        for name in encoded_names(self.feature_space):
            # A safe name ends where the name of a category begins.
            column = max(
                (c for c in original if name.startswith(c)), key=len, default=""
            )
            names.append(original.get(column, column) + name[len(column) :])
        return tuple(names)

    def encode(self, columns) -> np.ndarray:
        """Encodes rows.

        Args:
            columns: Dict from name of an input column to an array of shape
                `(n,)`, or a `pandas.DataFrame`.

        Returns:
            float32 array of shape `(n, inputs)`.
        """
        if hasattr(columns, "keys"):
            # By the names of the table first: the safe name of a column may
            # be the name of another one.
            safe = safe_names(self.inputs)
            columns = {
                safe[name]: columns[name if name in columns else safe[name]]
                for name in self.inputs
                if name in columns or safe[name] in columns
            }
        return tables.encode_columns(self.feature_space, columns)

    def spellings(self) -> dict[str, dict[str, str]]:
        """Returns the spellings of the categories that are texts.

        Returns:
            Dict from the name of an input column to a dict from a spelling to
            its category. Each category is one of its spellings.
        """
        safe = safe_names(self.inputs)
        found = {}
        for name in self.inputs:
            if self.feature_space.features[safe[name]].dtype == "string":
                layer = self.feature_space.preprocessors[safe[name]]
                words = layer.get_vocabulary(include_special_tokens=False)
                found[name] = {str(word): str(word) for word in words}
                found[name] |= getattr(layer, "spellings", {})
        return found

    def codes_as(self, other: TableEncoding) -> bool:
        """Returns whether another encoding encodes each row alike.

        Args:
            other: The other `TableEncoding`.
        """
        spaces = self.feature_space, other.feature_space
        if spaces[0] is spaces[1]:
            return True
        own, others = (
            [layer.get_config() for layer in space.preprocessors.values()]
            for space in spaces
        )
        return self.inputs == other.inputs and repr(own) == repr(others)

    def serving_model(self, model):
        """Puts the encoding in front of a model.

        Args:
            model: A `MultiTaskModel` that was trained on encoded rows.

        Returns:
            A model that takes raw columns, see
            `mtl_keras.tables.with_raw_columns`.
        """
        return tables.with_raw_columns(model, self.feature_space)

    def specs(self) -> list[TargetSpec]:
        """Returns the specs of the tasks, with the same classes."""
        return [
            TargetSpec(
                task.name,
                tuple(self.columns[task.name]),
                type(task),
                task=name_classes(task),
                separator=self.separators.get(task.name),
                same_classes=True,
            )
            for task in self.tasks
        ]

    def save(self, folder: str | os.PathLike) -> None:
        """Saves the encoding as `encoding.json` and `feature_space.keras`.

        A kill leaves no half file.

        Args:
            folder: Path of a folder, which is created if it does not exist.
        """
        folder = Path(folder)
        folder.mkdir(parents=True, exist_ok=True)
        save_feature_space(self.feature_space, folder)
        text = json.dumps(
            {
                "inputs": self.inputs,
                "safe_names": safe_names(self.inputs),
                "tasks": keras.saving.serialize_keras_object(list(self.tasks)),
                "columns": self.columns,
                "separators": self.separators,
                "reading": self.reading,
                "date_forms": self.date_forms,
            },
            indent=2,
            ensure_ascii=False,
        )
        write_text_atomically(folder / ENCODING, text + "\n")

    @classmethod
    def load(cls, folder: str | os.PathLike) -> TableEncoding:
        """Loads an encoding that `save` wrote.

        Args:
            folder: Path of the folder.

        Returns:
            The `TableEncoding`.

        Raises:
            FileNotFoundError: If the folder does not hold one.
        """
        path = Path(folder) / ENCODING
        if not path.is_file():
            raise FileNotFoundError(
                f"Found no '{ENCODING}' in '{folder}'; expected a folder that "
                "TableEncoding.save or a run on a table wrote."
            )
        saved = json.loads(path.read_text(encoding="utf-8"))
        return cls(
            keras.saving.load_model(Path(folder) / FEATURE_SPACE),
            tuple(saved["inputs"]),
            tuple(keras.saving.deserialize_keras_object(saved["tasks"])),
            {name: tuple(names) for name, names in saved["columns"].items()},
            saved["separators"],
            saved["reading"],
            saved["date_forms"],
        )


def save_feature_space(space: FeatureSpace, folder: Path) -> None:
    """Saves an encoding of columns, so that a kill leaves no half file.

    Args:
        space: The encoding.
        folder: Path of the folder.
    """
    partial = folder / _PARTIAL
    space.save(partial)
    os.replace(partial, folder / FEATURE_SPACE)


def name_classes(task: Task) -> Task:
    """Names classes that are numbered from 0, so that others do not fit.

    Args:
        task: The task.

    Returns:
        The task with the class names `"0"`, `"1"` and so on, or the task
        itself if it has names already.
    """
    if task.columns or task.num_label_classes is None:
        return task
    numbers = [str(number) for number in range(task.num_label_classes)]
    return task.with_class_names(numbers)
