"""Labels of images, from a table that names them."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from mtl_keras.datasets.reading.csv_table import read_csv_table
from mtl_keras.datasets.reading.groups import read_groups
from mtl_keras.datasets.reading.image_files import SUFFIXES
from mtl_keras.datasets.reading.table import Table
from mtl_keras.datasets.reading.target_spec import TargetSpec, read_target_specs
from mtl_keras.datasets.reading.targets import make_target
from mtl_keras.datasets.samples import Targets
from mtl_keras.tasks import Task


@dataclasses.dataclass(frozen=True, eq=False)
class FolderLabels:
    """Labels of images.

    Args:
        tasks: Tuple of the tasks. Defaults to `()`.
        targets: Dict from task name to targets, in the order of the images.
        groups: Integer array, a number for each group, or `None`.
    """

    tasks: tuple[Task, ...] = ()
    targets: Targets = dataclasses.field(default_factory=dict)
    groups: np.ndarray | None = None


def read_folder_labels(
    path: Path,
    images: Sequence[str],
    specs: Sequence[TargetSpec] | None,
    group: str | None,
    missing_values: Sequence[str],
) -> FolderLabels:
    """Reads the labels of images.

    Args:
        path: Path of a csv file whose first column names the images.
        images: List of the names of the images.
        specs: What the caller says of the targets, or `None` for all columns.
        group: String, column of the groups, or `None`.
        missing_values: Cells that stand for a missing value.

    Returns:
        The `FolderLabels`; an image that the table does not name has missing
        labels.

    Raises:
        ValueError: If the table names an image twice or one that is not
            there, or an image has no group.
    """
    table = read_csv_table(
        path, argument="labels", missing_values=missing_values
    )
    rows = _rows(table, images)
    groups = None
    if group is not None:
        groups = _groups(table, group, images, rows)
    first = table.names[0]
    if specs is None:
        columns = [c for c in table.names if c not in (first, group)]
        specs = read_target_specs(columns) if columns else []
    made, targets = [], {}
    for spec in specs:
        columns = [table.column(name, "tasks") for name in spec.columns]
        task, values = make_target(spec, columns)
        made.append(task)
        targets[task.name] = _by_image(values, rows)
    return FolderLabels(tuple(made), targets, groups)


def _rows(table: Table, images: Sequence[str]) -> np.ndarray:
    """The row of each image, -1 for an image without one."""
    known = {name: number for number, name in enumerate(images)}
    first = table.names[0]
    rows = np.full(len(images), -1)
    for row, cell in enumerate(table.column(first, "labels").names):
        name = cell
        if Path(cell).suffix.lower() in SUFFIXES and cell not in known:
            name = Path(cell).stem
        where = table.where(row, first)
        if name not in known:
            raise ValueError(
                f"`labels` names {cell!r} in {where}, for which there is no "
                "image. Add the image, or drop the line."
            )
        if rows[known[name]] >= 0:
            raise ValueError(
                f"`labels` names {cell!r} a second time in {where}; expected a "
                "line for each image."
            )
        rows[known[name]] = row
    return rows


def _groups(table, group, images, rows) -> np.ndarray:
    column = table.column(group, "group")
    if (rows < 0).any():
        raise ValueError(
            "`group` must say for each image what it belongs to, but the table "
            f"'{table.file}' has no line for {images[int(np.argmin(rows))]!r}. "
            "Add one; its labels may stay empty."
        )
    return read_groups(column)[rows]


def _by_image(values: np.ndarray, rows: np.ndarray) -> np.ndarray:
    missing = np.nan if values.dtype.kind == "f" else -1
    targets = values[rows]
    targets[rows < 0] = missing
    return targets
