"""The rows of a csv file as Python reads them, with their lines."""

from __future__ import annotations

import csv
import gzip
from collections.abc import Iterator
from pathlib import Path
from typing import TextIO

import numpy as np


def open_text(file: Path) -> TextIO:
    """Opens a csv or csv.gz file as text.

    Args:
        file: Path of the file.

    Returns:
        The open file. A byte order mark, which Excel writes, is skipped.
    """
    opener = gzip.open if file.suffix == ".gz" else open
    return opener(file, "rt", encoding="utf-8-sig", newline="")


def read_rows(file: Path, delimiter: str) -> Iterator[tuple[int, list[str]]]:
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
    file: Path, argument: str, delimiter: str, count: int
) -> None:
    """Checks that each row has as many cells as there are columns.

    Args:
        file: Path of the file.
        argument: String, the argument that names the file.
        delimiter: String between two cells.
        count: Integer, the number of columns.

    Raises:
        ValueError: If a row has another number of cells.
    """
    for line, row in read_rows(file, delimiter):
        if len(row) != count and any(row):
            raise ValueError(
                f"`{argument}` must have {count} cells in each line, one for "
                f"each column, found {len(row)} in line {line} of '{file}'. "
                f"Put quotes around a cell that holds a {delimiter!r}."
            )
