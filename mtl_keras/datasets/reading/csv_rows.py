"""The rows of a csv file as Python reads them, with their lines."""

from __future__ import annotations

import csv
import gzip
import itertools
from collections.abc import Collection, Iterator, Sequence
from pathlib import Path
from typing import TextIO

import numpy as np

# The last line of a row, counted from 1, and its cells.
Row = tuple[int, list[str]]


def open_text(file: Path) -> TextIO:
    """Opens a csv or csv.gz file as text.

    Args:
        file: Path of the file.

    Returns:
        The open file. A byte order mark, which Excel writes, is skipped.
    """
    opener = gzip.open if file.suffix == ".gz" else open
    return opener(file, "rt", encoding="utf-8-sig", newline="")


def read_rows(file: Path, delimiter: str) -> Iterator[Row]:
    """Reads the rows of a csv file that are not blank.

    Args:
        file: Path of the file.
        delimiter: String between two cells.

    Yields:
        The last line of a row, counted from 1, and its stripped cells.
    """
    with open_text(file) as text:
        reader = csv.reader(text, delimiter=delimiter, skipinitialspace=True)
        for row in reader:
            if len(row) > 1 or (row and row[0].strip()):
                yield reader.line_num, [cell.strip() for cell in row]


def width(cells: Sequence[str]) -> int:
    """Returns the number of cells of a row, without empty ones at its end.

    Args:
        cells: The cells.
    """
    return max((n + 1 for n, cell in enumerate(cells) if cell), default=0)


def filled_cells(
    file: Path, delimiter: str, columns: Collection[int], skipped: int = 0
) -> set[int]:
    """Finds columns that hold something.

    Args:
        file: Path of the file.
        delimiter: String between two cells.
        columns: Numbers of the columns to look at. The file is not read if
            there are none.
        skipped: Integer, the first rows that do not count. Defaults to `0`.

    Returns:
        Those that do.
    """
    found: set[int] = set()
    if not columns:
        return found
    for _, row in itertools.islice(read_rows(file, delimiter), skipped, None):
        found |= {n for n in columns if n < len(row) and row[n]}
    return found


def count_spare_cells(file: Path, delimiter: str, count: int) -> int:
    """Counts the empty cells that rows have behind their columns.

    Args:
        file: Path of the file.
        delimiter: String between two cells.
        count: Integer, the number of columns.

    Returns:
        The most that a row has; 0 if one of them is not empty.
    """
    most = 0
    for _, row in read_rows(file, delimiter):
        if any(row[count:]):
            return 0
        most = max(most, len(row) - count)
    return most


def locate_row(
    file: Path, delimiter: str, skipped: int, kept: np.ndarray, index: int
) -> tuple[str, str]:
    """Locates a row of a table in its file.

    Args:
        file: Path of the file.
        delimiter: String between two cells.
        skipped: Integer, the rows of the header.
        kept: Integer array, which rows of the file the table holds.
        index: Integer, the row of the table, counted from 0.

    Returns:
        The line and the file, such as `("line 7", "'patients.csv'")`.
    """
    row = int(kept[index]) + skipped
    for number, (line, _) in enumerate(read_rows(file, delimiter)):
        if number == row:
            return f"line {line}", f"'{file}'"
    return f"row {index}", f"'{file}'"


def rows_with_values(
    frame, file: Path, delimiter: str, skipped: int
) -> np.ndarray:
    """Finds the rows of a table, without empty ones at its end.

    An empty row within the table is a row of missing values: predictions
    belong to the lines.

    Args:
        frame: `pandas.DataFrame` of the file.
        file: Path of the file.
        delimiter: String between two cells.
        skipped: Integer, the rows of the header.

    Returns:
        Integer array of the numbers of the rows.
    """
    kept = np.ones(len(frame), bool)
    if len(frame) and frame[frame.columns[-1]].isna().any():
        kept = ~frame.isna().all(axis=1).to_numpy()
    if not kept.all():
        # A word for a missing value is missing in the frame, too.
        for number, (_, cells) in enumerate(read_rows(file, delimiter)):
            if number >= skipped and any(cells):
                kept[number - skipped] = True
    last = np.flatnonzero(kept)
    return np.arange(last[-1] + 1 if len(last) else 0)


def check_lengths(
    file: Path, argument: str, delimiter: str, count: int, spare: int = 0
) -> None:
    """Checks that each row has as many cells as there are columns.

    Args:
        file: Path of the file.
        argument: String, the argument that names the file.
        delimiter: String between two cells.
        count: Integer, the number of columns.
        spare: Integer, the empty cells that a row may have behind them.
            Defaults to `0`.

    Raises:
        ValueError: If a row has another number of cells.
    """
    for line, row in read_rows(file, delimiter):
        is_mark = row[0].lower().startswith("sep=") and not any(row[1:])
        fits = count <= len(row) <= count + spare
        if not fits and any(row) and not (line == 1 and is_mark):
            raise ValueError(
                f"`{argument}` must have {count} cells in each line, one for "
                f"each column, found {len(row)} in line {line} of '{file}'. "
                f"Put quotes around a cell that holds a {delimiter!r}."
            )
