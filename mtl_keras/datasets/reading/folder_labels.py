"""Labels of images, from a table that names them."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from mtl_keras.datasets.reading.csv_table import read_csv_table
from mtl_keras.datasets.reading.groups import read_groups
from mtl_keras.datasets.reading.image_files import image_name, near_name
from mtl_keras.datasets.reading.table import Table
from mtl_keras.datasets.reading.target_spec import TargetSpec, read_target_specs
from mtl_keras.datasets.reading.targets import make_target
from mtl_keras.datasets.samples import Targets
from mtl_keras.tasks import Task

# What pandas writes above an index without a name, and makes of it later.
_INDEX = re.compile(r"(Unnamed: \d+)?")


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
    image_column: str | None = None,
) -> FolderLabels:
    """Reads the labels of images.

    Args:
        path: Path of a csv file.
        images: List of the names of the images.
        specs: What the caller says of the targets, or `None` for all columns.
        group: String, column of the groups, or `None`.
        missing_values: Cells that stand for a missing value.
        image_column: String, column that names the images. Defaults to
            `None`: the first, the index of pandas aside.

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
    names = _without_index(table)
    named_by = _image_column(table, names, images, image_column)
    rows = _rows(table, named_by, images)
    groups = None
    if group is not None:
        groups = _groups(table, group, images, rows)
    if specs is None:
        columns = [c for c in names if c not in (named_by, group)]
        specs = read_target_specs(columns) if columns else []
    made, targets = [], {}
    for spec in specs:
        columns = [table.column(name, "tasks") for name in spec.columns]
        task, values = make_target(spec, columns)
        made.append(task)
        targets[task.name] = _by_image(values, rows)
    return FolderLabels(tuple(made), targets, groups)


def _without_index(table: Table) -> list[str]:
    """The names of the columns, without those of an index at the start."""
    names = list(table.names)
    while names and _INDEX.fullmatch(names[0]):
        del names[0]
    if not names:
        raise ValueError(
            f"`labels` must hold a column that names the images, but "
            f"'{table.file}' has columns without a name alone, which pandas "
            "writes for an index. Write it with index_label='image'."
        )
    return names


def _image_column(table, names, images, said) -> str:
    """Finds the column that names the images."""
    if said is not None:
        table.column(said, "image_column")
        return said
    known = set(images)
    first, *others = names
    if _names_images(table, first, known):
        rival = next(
            (
                other
                for other in others
                if _counts_rows(table, first)
                and _names_images(table, other, known)
            ),
            None,
        )
        if rival is not None:
            raise ValueError(
                f"`labels` must hold one column that names the images, found "
                f"two in '{table.file}': {first!r}, which counts the lines, "
                f"and {rival!r}. Pass image_column={rival!r} or image_column="
                f"{first!r}."
            )
        return first
    for other in others:
        if _names_images(table, other, known):
            raise ValueError(
                f"`labels` must name the images in its first column, found "
                f"{_cells(table, first)[0]!r} in {table.where(0, first)}, but "
                f"names of images in the column {other!r}. Pass image_column="
                f"{other!r}."
            )
    unnamed = table.names[0]
    if unnamed not in names and _names_images(table, unnamed, known):
        raise ValueError(
            f"`labels` must name the images in a column with a name, found "
            f"them in the index that pandas writes without one in "
            f"'{table.file}'. Write it with index_label='image', or put "
            "'image' on top of the first column."
        )
    return first


def _cells(table: Table, name: str) -> list[str]:
    return [str(cell) for cell in table.column(name, "labels").values]


def _names_images(table: Table, column: str, known: set[str]) -> bool:
    """Whether each cell names another image."""
    names = [_name_of(cell, known) for cell in _cells(table, column)]
    return known.issuperset(names) and len(set(names)) == len(names)


def _counts_rows(table: Table, column: str) -> bool:
    """Whether a column counts the lines, as an index does."""
    cells = _cells(table, column)
    count = len(table)
    return cells in (
        list(map(str, range(count))),
        list(map(str, range(1, count + 1))),
    )


def _name_of(cell: str, known) -> str:
    """The name of the image that a cell names, by its text alone."""
    if cell in known:
        return cell
    return image_name(cell.replace("\\", "/").removeprefix("./"))


def _rows(table: Table, named_by: str, images: Sequence[str]) -> np.ndarray:
    """The row of each image, -1 for an image without one."""
    known = {name: number for number, name in enumerate(images)}
    rows = np.full(len(images), -1)
    for row, cell in enumerate(_cells(table, named_by)):
        name = _name_of(cell, known)
        if name not in known:
            raise ValueError(
                f"`labels` names {cell!r} in {table.where(row, named_by)}, for "
                f"which there is no image. {near_name(name, images)} Add the "
                "image, or drop the line."
            )
        if rows[known[name]] >= 0:
            raise ValueError(
                f"`labels` names {cell!r} a second time in "
                f"{table.where(row, named_by)}; expected a line for each image."
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
