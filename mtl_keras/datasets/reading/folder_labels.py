"""Reads the labels of images from a table that names the images."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from mtl_keras.datasets.reading.csv_table import read_csv_table
from mtl_keras.datasets.reading.frames import check_frame
from mtl_keras.datasets.reading.groups import read_groups
from mtl_keras.datasets.reading.image_files import image_name, suggest_image
from mtl_keras.datasets.reading.missing_values import (
    MissingValues,
    check_class_names,
    check_missing_values,
)
from mtl_keras.datasets.reading.spec_task import get_argument
from mtl_keras.datasets.reading.table import Table
from mtl_keras.datasets.reading.target_spec import TargetSpec, read_target_specs
from mtl_keras.datasets.reading.targets import make_target
from mtl_keras.datasets.samples import Targets
from mtl_keras.tasks import Task

# Header of an index in pandas, when written and when read again.
_INDEX = re.compile(r"(Unnamed: \d+)?")


_OFFERS = frozenset({"missing_values", "delimiter", "decimal", "thousands"})


@dataclasses.dataclass(frozen=True, eq=False)
class FolderLabels:
    """Labels of images.

    Args:
        tasks: Tuple of the tasks. Defaults to `()`.
        targets: Dict from task name to targets, in the order of the images.
            Defaults to `{}`.
        groups: Integer array, the group of each image. Defaults to `None`.
    """

    tasks: tuple[Task, ...] = ()
    targets: Targets = dataclasses.field(default_factory=dict)
    groups: np.ndarray | None = None


def read_folder_labels(
    labels,
    images: Sequence[str],
    specs: Sequence[TargetSpec] | None,
    group: str | None,
    missing_values: MissingValues,
    image_column: str | None = None,
    **marks,
) -> FolderLabels:
    """Reads the labels of images.

    Args:
        labels: Path of a csv file, or a `pandas.DataFrame`.
        images: List of the names of the images.
        specs: The `TargetSpec`s, or `None` for all columns.
        group: String, column of the groups, or `None`.
        missing_values: Cells that stand for a missing value, see `from_csv`.
        image_column: String, column that names the images. Defaults to
            `None`: the first column, except for the index of pandas.
        **marks: `delimiter`, `decimal` and `thousands` of `from_csv`.

    Returns:
        The `FolderLabels`. Images that the table does not name have missing
        labels.

    Raises:
        ValueError: If the table names an image twice or one that does not
            exist, or an image has no group.
    """
    table = _read_table(labels, missing_values, marks)
    check_missing_values(missing_values, table.names)
    for spec in specs or ():
        names = get_argument(spec, "class_names")
        check_class_names(spec.name, names, spec.columns, missing_values)
    names = _drop_index(table)
    named_by = _find_image_column(table, names, images, image_column)
    rows = _find_rows(table, named_by, images)
    groups = None
    if group is not None:
        groups = _read_groups(table, group, images, rows)
    if specs is None:
        columns = [c for c in names if c not in (named_by, group)]
        specs = read_target_specs(columns) if columns else []
    made, targets = [], {}
    for spec in specs:
        columns = [table.column(name, "tasks") for name in spec.columns]
        task, values = make_target(spec, columns)
        made.append(task)
        targets[task.name] = _order_by_image(values, rows)
    return FolderLabels(tuple(made), targets, groups)


def _read_table(labels, missing_values, marks) -> Table:
    if isinstance(labels, Path):
        table = read_csv_table(
            labels, argument="labels", missing_values=missing_values, **marks
        )
    else:
        source = "the DataFrame of `labels`"
        table = Table(
            check_frame(labels, "labels"),
            source,
            lambda row: (f"row {row}", source),
            check_missing_values(missing_values),
        )
    return dataclasses.replace(table, offers=_OFFERS)


def _drop_index(table: Table) -> list[str]:
    """Returns the names of the columns, without those of a leading index."""
    names = list(table.names)
    while names and _INDEX.fullmatch(names[0]):
        del names[0]
    if not names:
        raise ValueError(
            f"`labels` must hold a column that names the images, but "
            f"{table.source} has only columns without a name, which pandas "
            "writes for an index. Write it with index_label='image'."
        )
    return names


def _find_image_column(table, names, images, image_column) -> str:
    if image_column is not None:
        table.column(image_column, "image_column")
        return image_column
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
                f"two in {table.source}: {first!r}, which numbers the lines, "
                f"and {rival!r}. Pass image_column={rival!r} or image_column="
                f"{first!r}."
            )
        return first
    for other in others:
        if _names_images(table, other, known):
            raise ValueError(
                f"`labels` must name the images in its first column, found "
                f"{_cells(table, first)[0]!r} in {table.where(0, first)}, but "
                f"image names in the column {other!r}. Pass image_column="
                f"{other!r}."
            )
    unnamed = table.names[0]
    if unnamed not in names and _names_images(table, unnamed, known):
        raise ValueError(
            f"`labels` must name the images in a column with a name, found "
            f"them in the index that pandas writes without one in "
            f"{table.source}. Write it with index_label='image', or put "
            "'image' above the first column."
        )
    return first


def _cells(table: Table, name: str) -> list[str]:
    return [str(cell) for cell in table.column(name, "labels").values]


def _names_images(table: Table, column: str, known: set[str]) -> bool:
    """Returns whether each cell names a different image."""
    names = [_find_name(cell, known) for cell in _cells(table, column)]
    return known.issuperset(names) and len(set(names)) == len(names)


def _counts_rows(table: Table, column: str) -> bool:
    """Returns whether a column numbers the lines, as an index does."""
    cells = _cells(table, column)
    count = len(table)
    return cells in (
        list(map(str, range(count))),
        list(map(str, range(1, count + 1))),
    )


def _find_name(cell: str, known) -> str:
    """Returns the name of the image that a cell refers to."""
    if cell in known:
        return cell
    return image_name(cell.replace("\\", "/").removeprefix("./"))


def _find_rows(
    table: Table, named_by: str, images: Sequence[str]
) -> np.ndarray:
    """Returns the row of each image, -1 for an image without a row."""
    known = {name: number for number, name in enumerate(images)}
    rows = np.full(len(images), -1)
    for row, cell in enumerate(_cells(table, named_by)):
        name = _find_name(cell, known)
        if name not in known:
            raise ValueError(
                f"`labels` names {cell!r} in {table.where(row, named_by)}, "
                "but there is no such image. "
                f"{suggest_image(name, images)} Add the image, or remove the "
                "line."
            )
        if rows[known[name]] >= 0:
            raise ValueError(
                f"`labels` names {cell!r} a second time in "
                f"{table.where(row, named_by)}; expected one line per image."
            )
        rows[known[name]] = row
    return rows


def _read_groups(table, group, images, rows) -> np.ndarray:
    column = table.column(group, "group")
    if (rows < 0).any():
        raise ValueError(
            f"`group` requires a line per image, but {table.source} has none "
            f"for {images[int(np.argmin(rows))]!r}. Add one; its labels may be "
            "empty."
        )
    return read_groups(column)[rows]


def _order_by_image(values: np.ndarray, rows: np.ndarray) -> np.ndarray:
    missing = np.nan if values.dtype.kind == "f" else -1
    targets = values[rows]
    targets[rows < 0] = missing
    return targets
