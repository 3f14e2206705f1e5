"""Tables that are read from csv files."""

from __future__ import annotations

import csv
import dataclasses
import functools
import gzip
import os
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from mtl_keras.datasets.files import existing_file
from mtl_keras.datasets.reading.column import Column
from mtl_keras.spelling import did_you_mean


@dataclasses.dataclass(frozen=True, eq=False)
class CsvTable:
    """The cells of a csv file, by column.

    Args:
        file: Path of the file.
        cells: Dict from column name to an object array of its cells.
        lines: Integer array, the line of the file in which each row ends.
        missing_values: Tuple of cells that stand for a missing value; the
            empty cell always does.
    """

    file: Path
    cells: dict[str, np.ndarray]
    lines: np.ndarray
    missing_values: tuple[str, ...] = ()

    def __len__(self):
        return len(self.lines)

    def column(self, name: str, argument: str) -> Column:
        """Finds a column by its name.

        Args:
            name: String, name of the column.
            argument: String, the argument that asks for it, for the error.

        Returns:
            The `Column`.

        Raises:
            ValueError: If there is none of that name.
        """
        if name not in self.cells:
            raise ValueError(
                f"`{argument}` names the column {name!r}, which '{self.file}' "
                f"does not have. {did_you_mean(name, self.cells)}"
            )
        cells = self.cells[name]
        missing = np.isin(cells.astype(str), ["", *self.missing_values])
        return Column(
            name, cells, missing, functools.partial(self.where, name=name)
        )

    def where(self, index: int, name: str) -> str:
        """Says where a cell stands.

        Args:
            index: Integer, the row, counted from 0 without the header.
            name: String, the column.
        """
        return f"line {self.lines[index]}, column {name!r} of '{self.file}'"


def read_csv_table(
    path: str | os.PathLike,
    *,
    argument: str = "path",
    delimiter: str = ",",
    missing_values: Sequence[str] = (),
) -> CsvTable:
    """Reads a csv file with a header.

    Args:
        path: String or path of a csv or csv.gz file, in UTF-8.
        argument: String, the argument that names the file, for errors.
            Defaults to `"path"`.
        delimiter: String, what stands between two cells. Defaults to `","`.
        missing_values: Sequence of strings, cells that stand for a missing
            value besides the empty one. Defaults to `()`.

    Returns:
        The `CsvTable`. Cells are stripped of blanks around them, empty lines
        are left out.

    Raises:
        FileNotFoundError: If there is no file.
        TypeError: If `missing_values` is no sequence of strings.
        ValueError: If it has no header, no row, or rows of another length.
    """
    _check_missing_values(missing_values)
    file = existing_file(path, "Pass the path of a csv or csv.gz file.")
    rows = _read_rows(file, argument, delimiter)
    if not rows:
        raise ValueError(
            f"`{argument}` must hold a table, found an empty file at '{file}'."
        )
    _, header = rows.pop(0)
    _check_header(header, file, argument, delimiter)
    if not rows:
        raise ValueError(
            f"`{argument}` must hold samples, found a header and no rows in "
            f"'{file}'."
        )
    for line, row in rows:
        if len(row) != len(header):
            raise ValueError(
                f"`{argument}` must have {len(header)} cells in each line, as "
                f"the header does, found {len(row)} in line {line} of "
                f"'{file}'. Put quotes around a cell that holds a "
                f"{delimiter!r}."
            )
    cells = np.array([row for _, row in rows], object)
    return CsvTable(
        file,
        dict(zip(header, cells.T, strict=True)),
        np.array([line for line, _ in rows]),
        tuple(missing_values),
    )


def _check_missing_values(missing_values) -> None:
    is_list = isinstance(missing_values, Sequence)
    texts = is_list and all(isinstance(v, str) for v in missing_values)
    if isinstance(missing_values, str) or not texts:
        raise TypeError(
            "`missing_values` must be a list of strings, such as ('NA',), "
            f"found {missing_values!r}."
        )


def _read_rows(file, argument, delimiter) -> list[tuple[int, list[str]]]:
    open_text = gzip.open if file.suffix == ".gz" else open
    try:
        # Excel writes a byte order mark, which utf-8-sig skips.
        with open_text(file, "rt", encoding="utf-8-sig", newline="") as text:
            reader = csv.reader(text, delimiter=delimiter)
            return [
                (reader.line_num, [cell.strip() for cell in row])
                for row in reader
                if any(cell.strip() for cell in row)
            ]
    except UnicodeDecodeError as error:
        raise ValueError(
            f"`{argument}` must be a csv file in UTF-8, found other bytes in "
            f"'{file}'. Save it as 'CSV UTF-8'."
        ) from error
    except (csv.Error, EOFError, gzip.BadGzipFile) as error:
        raise ValueError(
            f"`{argument}` must be a csv file, but '{file}' cannot be read as "
            f"one: {error}."
        ) from error


def _check_header(header, file, argument, delimiter) -> None:
    others = [mark for mark in ";\t|" if mark in header[0]]
    if len(header) == 1 and others and delimiter not in others:
        raise ValueError(
            f"`{argument}` must have cells between {delimiter!r}, found "
            f"{others[0]!r} in the header of '{file}'. Pass "
            f"delimiter={others[0]!r}."
        )
    if all(_is_number(cell) for cell in header):
        raise ValueError(
            f"`{argument}` must have a header, found numbers in line 1 of "
            f"'{file}'. Put a line with the names of its {len(header)} columns "
            "on top."
        )
    for name in header:
        if header.count(name) > 1:
            raise ValueError(
                f"`{argument}` must have a name of its own for each column, "
                f"found {name!r} {header.count(name)} times in the header of "
                f"'{file}'."
            )


def _is_number(cell: str) -> bool:
    try:
        float(cell)
    except ValueError:
        return False
    return True
