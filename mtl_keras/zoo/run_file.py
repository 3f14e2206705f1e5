"""Reads all rows of a file by the codes of a run."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from mtl_keras import datasets
from mtl_keras.datasets.reading.csv_header import read_header
from mtl_keras.datasets.reading.folder_source import FolderSource
from mtl_keras.datasets.reading.spec_task import get_argument
from mtl_keras.datasets.reading.target_spec import TargetSpec, read_target_specs
from mtl_keras.datasets.streamed_samples import StreamedSamples
from mtl_keras.datasets.table_encoding import ENCODING, name_classes
from mtl_keras.tasks import Task
from mtl_keras.zoo.file_labels import keep_labels_found
from mtl_keras.zoo.recipe_data import Part
from mtl_keras.zoo.run_data import DATA

# Arguments that split a file, of which all rows are read.
_SPLITTING = ("tasks", "train", "validation", "test", "split", "group")


@dataclasses.dataclass(frozen=True)
class RunCodes:
    """The codes by which a run reads files.

    Args:
        folder: Folder of the run.
        tasks: The tasks, with their classes.
        is_complete: Whether the tasks are those of `data.json`, instead of a
            model's, in which classes may have no names.
        arguments: Arguments of the reading function. Defaults to none.
        given_tasks: The tasks of the recipe, as for `from_csv`. Defaults to
            `None`.
    """

    folder: Path
    tasks: Sequence[Task]
    is_complete: bool
    arguments: Mapping[str, Any] = dataclasses.field(default_factory=dict)
    given_tasks: Any = None

    def specs(self) -> list[TargetSpec]:
        """Returns the specs of the tasks, with the classes of the run."""
        given = {}
        if self.given_tasks is not None:
            given = {
                spec.name: spec for spec in read_target_specs(self.given_tasks)
            }
        specs = []
        for task in self.tasks:
            spec = given.get(task.name, TargetSpec(task.name, (task.name,)))
            specs.append(
                TargetSpec(
                    task.name,
                    spec.columns,
                    type(task),
                    task=name_classes(task),
                    separator=spec.separator,
                    # Labels may be numbers of classes that the user names.
                    same_classes=get_argument(spec, "class_names") is None,
                    counts_from_zero=True,
                )
            )
        return specs


def read_run_file(
    name: str, path: Path, codes: RunCodes, extra: Mapping[str, Any]
) -> Part:
    """Reads all rows of a file by the codes of a run.

    Args:
        name: Name of the reading function, such as `"from_npz"`.
        path: Path of the file or folder.
        codes: The codes of the run.
        extra: Further arguments of the reading function, which take
            precedence over those of the run.

    Returns:
        All samples, with the targets of the tasks that have labels.

    Raises:
        ValueError: If the codes of the run are unknown, or the file does not
            fit.
    """
    is_table = (codes.folder / ENCODING).is_file()
    if name == "from_csv":
        if not is_table:
            raise ValueError(
                f"'{codes.folder}' has no {ENCODING}, by which the model "
                "encodes columns and classes, so from_csv cannot read "
                f"'{path}' for it. Pass the folder of the run instead of the "
                "model's file."
            )
        return _read_table(codes, path, extra)
    if is_table:
        raise ValueError(
            f"The model in '{codes.folder}' takes the encoded columns of a "
            f"table, which {name} does not read. Pass a csv file, with --data "
            "from_csv."
        )
    if not codes.is_complete:
        _check_named(codes)
    known = {k: v for k, v in codes.arguments.items() if k not in _SPLITTING}
    known |= {"path": path, "validation": 0, "test": 0, **extra}
    known = keep_labels_found(name, known, codes.specs())
    splits = datasets.get(name).read(**known)
    everything = np.sort(np.concatenate(list(splits.indices.values())))
    if isinstance(splits.source, FolderSource):
        return StreamedSamples(splits.source, everything)
    return splits.source.arrays(everything)


def _check_named(codes: RunCodes) -> None:
    """Raises a `ValueError` if a model does not know its classes."""
    for task in codes.tasks:
        if task.labels_per != "sample" or task.num_label_classes is None:
            continue
        if task.class_names is None and not task.columns:
            raise ValueError(
                f"Task {task.name!r}: the model does not name its classes, and "
                f"'{codes.folder}' has no {DATA}, so the codes of its labels "
                "are unknown. Pass the folder of the run instead of the "
                "model's file."
            )


def _read_table(codes: RunCodes, path: Path, extra: Mapping[str, Any]) -> Part:
    encoding = datasets.TableEncoding.load(codes.folder)
    reading = {**encoding.reading, **extra}
    names = extra.get("names", codes.arguments.get("names"))
    header = names
    if names is None:
        header = read_header(path, "path", reading.get("delimiter", ","))
    labelled = [
        name
        for name, its in encoding.columns.items()
        if set(its) <= set(header)
    ]
    return datasets.from_csv(
        path,
        labelled or None,
        like=encoding,
        labels=bool(labelled),
        **{"validation": 0, "test": 0, "names": names, **extra},
    ).arrays("train")
