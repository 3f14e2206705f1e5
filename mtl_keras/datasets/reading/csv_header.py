"""The header of a csv file, and columns that hold nothing."""

from __future__ import annotations

import csv
import dataclasses
import itertools
from collections.abc import Sequence
from pathlib import Path

from mtl_keras.datasets.reading.csv_errors import CsvErrors
from mtl_keras.datasets.reading.csv_rows import Row, filled_cells, read_rows
from mtl_keras.datasets.reading.header_checks import (
    check_delimiter,
    check_header,
    check_names,
    check_start,
    check_title,
)

# Rows that are compared with the header.
_FIRST_ROWS = 100


@dataclasses.dataclass(frozen=True)
class CsvLayout:
    """The layout of a csv file.

    Args:
        columns: List of the names of all columns, `"Unnamed: 3"` for the
            fourth if it has no name.
        empty: Set of the columns without a name that hold nothing.
        skipped: Integer, the rows before those of the table.
        line: Integer, the last line before them, 0 for none.
        has_mark: Boolean, whether the first line is `sep=;`, which Excel
            reads.
    """

    columns: list[str]
    empty: frozenset[str]
    skipped: int
    line: int
    has_mark: bool

    @property
    def names(self) -> list[str]:
        """Names of the columns, without those that hold nothing."""
        return [name for name in self.columns if name not in self.empty]


def read_header(
    file: Path,
    argument: str,
    delimiter: str,
    names: Sequence[str] | None = None,
) -> list[str]:
    """Reads the names of the columns of a csv file, see `read_layout`.

    Args:
        file: Path of the file.
        argument: String, the argument that names the file, for errors.
        delimiter: String between two cells.
        names: Names of the columns of a file without a header, or `None`.

    Returns:
        The names, without columns that have no name and hold nothing.
    """
    return read_layout(file, argument, delimiter, names).names


def read_layout(
    file: Path,
    argument: str,
    delimiter: str,
    names: Sequence[str] | None = None,
) -> CsvLayout:
    """Reads the layout of a csv file.

    Args:
        file: Path of the file.
        argument: String, the argument that names the file, for errors.
        delimiter: String between two cells.
        names: Names of the columns of a file without a header, or `None`.

    Returns:
        The `CsvLayout`.

    Raises:
        ValueError: If the file is empty, or its first line is not a header.
    """
    check_start(file, argument)
    with CsvErrors(file, argument, delimiter, 0):
        rows = _first_rows(file, delimiter)
    has_mark = bool(rows) and _is_mark(rows[0][1], file, argument, delimiter)
    rows = rows[has_mark:]
    if not rows:
        raise ValueError(
            f"`{argument}` must hold a table, found an empty file at '{file}'."
        )
    header = rows[0][1]
    if names is None or len(names) > 1:
        check_delimiter(header, file, argument, delimiter)
    check_title(rows, file, argument, delimiter)
    if names is None:
        check_header(rows, file, argument)
        columns = _with_placeholders(header)
    else:
        spare = max(len(header) - len(names), 0)
        if spare and not filled_cells(file, delimiter, {*_last(header, spare)}):
            header = header[: len(names)]
        check_names(names, header, file, argument)
        columns = [
            *names,
            *(f"Unnamed: {len(names) + n}" for n in range(spare)),
        ]
    unnamed = {
        number
        for number, name in enumerate(columns)
        if number >= len(header)
        or (names is None and number and not header[number])
    }
    empty = unnamed - filled_cells(
        file, delimiter, unnamed, has_mark + (names is None)
    )
    return CsvLayout(
        columns,
        frozenset(columns[number] for number in empty),
        (names is None) + has_mark,
        rows[0][0] if names is None else int(has_mark),
        has_mark,
    )


def _last(header: Sequence[str], count: int) -> range:
    return range(len(header) - count, len(header))


def _first_rows(file: Path, delimiter: str) -> list[Row]:
    rows = []
    try:
        for row in itertools.islice(read_rows(file, delimiter), _FIRST_ROWS):
            rows.append(row)
    except csv.Error:
        if not rows:
            raise
    return rows


def _is_mark(row: list[str], file, argument, delimiter) -> bool:
    """Returns whether a row is the mark `sep=;` of Excel."""
    if not row[0].lower().startswith("sep=") or any(row[1:]):
        return False
    mark = row[0][4:] or (delimiter if len(row) > 1 else "")
    if mark and mark != delimiter:
        raise ValueError(
            f"`{argument}` must have cells between {delimiter!r}, but line 1 "
            f"of '{file}' is 'sep={mark}'. Pass delimiter={mark!r}."
        )
    return bool(mark)


def _with_placeholders(header: Sequence[str]) -> list[str]:
    """Names columns without a name, but for the index in front."""
    return [
        name if name or not number else f"Unnamed: {number}"
        for number, name in enumerate(header)
    ]
