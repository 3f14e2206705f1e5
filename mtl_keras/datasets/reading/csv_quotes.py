"""Quotes of a csv file that are opened and never closed."""

from __future__ import annotations

import csv
import gzip
import re
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from mtl_keras.datasets.reading.csv_rows import open_text

_CHUNK = 2**22
# Cells of a column that are looked at.
_SAMPLE = 200

# For each column: whether it holds numbers, and whether a text fits it.
Fits = Sequence[tuple[bool, Callable[[str], bool]]]


def check_merged_rows(
    frame, file: Path, argument: str, delimiter: str, skipped: int, read_number
) -> None:
    """Checks that no row swallows the rows below it.

    A quote that is never closed ends at the next one, and all rows between
    them become one cell. The file is read again only where it has more lines
    than rows.

    Args:
        frame: `pandas.DataFrame` of the file.
        file: Path of the file.
        argument: String, the argument that names the file.
        delimiter: String between two cells.
        skipped: Integer, the rows of the header.
        read_number: Function that makes a float of a text, NaN of one that is
            not a number.

    Raises:
        ValueError: If a quote is not closed. The error names its line.
    """
    quotes, breaks = _count(file)
    if quotes and breaks > len(frame) + skipped:
        fits = [
            _kind(frame[name], read_number) for name in frame.columns.tolist()
        ]
        check_quotes(file, argument, delimiter, fits)


def check_quotes(
    file: Path, argument: str, delimiter: str, fits: Fits = ()
) -> None:
    """Checks the rows of several lines.

    Args:
        file: Path of the file.
        argument: String, the argument that names the file.
        delimiter: String between two cells.
        fits: For each column, whether its cells are numbers, and a function
            from a text to whether it may be one of its cells. Defaults to
            `()`: only the places of quotes count.

    Raises:
        ValueError: If a quote is not closed, or a cell holds rows.
    """
    lines: list[str] = []
    with open_text(file) as text:
        reader = csv.reader(
            _kept(text, lines), delimiter=delimiter, skipinitialspace=True
        )
        while True:
            too_long = False
            try:
                row = next(reader)
            except StopIteration:
                return
            except csv.Error:
                # A cell that is longer than any text, by rows.
                if len(lines) == 1:
                    return
                too_long = _hold_rows(lines[1:-1], delimiter, len(fits))
                if not too_long:
                    return
                row = []
            if len(lines) > 1 and (
                too_long
                or not _is_strict(lines, delimiter)
                or _swallows_rows(row, delimiter, fits)
            ):
                first = reader.line_num - len(lines) + 1
                raise ValueError(
                    f"`{argument}` must close each quote, but a cell that "
                    f"opens with a \" in line {first} of '{file}' goes on "
                    f"to line {reader.line_num} and holds rows of the table. "
                    "Mend the line: close the quote, or write a quote that "
                    'belongs to the text twice, within quotes ("""a"" b"). If '
                    "quotes have no meaning in the file, pass "
                    "pandas.read_csv(..., quoting=csv.QUOTE_NONE) to "
                    "from_dataframe."
                )
            lines.clear()


def _kept(text, lines: list[str]) -> Iterator[str]:
    for line in text:
        lines.append(line)
        yield line


def _count(file: Path) -> tuple[int, int]:
    """Counts the quotes and the ends of lines."""
    quotes = feeds = returns = 0
    opener = gzip.open if file.suffix == ".gz" else open
    with opener(file, "rb") as stream:
        while chunk := stream.read(_CHUNK):
            quotes += chunk.count(b'"')
            feeds += chunk.count(b"\n")
            returns += chunk.count(b"\r")
    return quotes, max(feeds, returns)


def _is_strict(lines: list[str], delimiter: str) -> bool:
    """Checks whether each quote that closes a cell ends it.

    In merged rows, the text of another cell follows it.
    """
    mark = re.escape(delimiter)
    lines = [re.sub(rf'" +(?={mark}|[\r\n]|$)', '"', line) for line in lines]
    reader = csv.reader(
        lines, delimiter=delimiter, skipinitialspace=True, strict=True
    )
    try:
        next(reader)
    except csv.Error:
        return False
    return True


def _swallows_rows(row: list[str], delimiter: str, fits: Fits) -> bool:
    """Checks whether a cell of a row consists of rows that fit."""
    if len(fits) < 2 or len(row) != len(fits):
        return False
    return any(
        _are_rows(_rows_in(row, column, delimiter), column, fits)
        for column, cell in enumerate(row)
        if "\n" in cell or "\r" in cell
    )


def _rows_in(row: list[str], column: int, delimiter: str) -> list[list[str]]:
    """Splits a row at the ends of lines within one of its cells."""
    *lines, last = re.split(r"\r\n|\r|\n", row[column])
    rows = [line.split(delimiter) for line in lines]
    rows[0] = [*row[:column], *rows[0]]
    return [*rows, [*last.split(delimiter), *row[column + 1 :]]]


def _are_rows(rows: list[list[str]], column: int, fits: Fits) -> bool:
    """Checks whether rows fit: all are numbers, or a column of texts."""
    if any(len(cells) != len(fits) for cells in rows):
        return False
    numbers, texts = [], False
    for number, (is_number, fit) in enumerate(fits):
        if number == column:
            continue
        # Without the cells that are not within the one of several lines.
        inner = rows[1:] if number < column else rows[:-1]
        cells = [cells[number].strip() for cells in inner]
        if is_number:
            numbers += [fit(cell) for cell in cells if cell]
        else:
            texts = texts or all(map(fit, cells))
    return all(numbers) if numbers else texts


def _hold_rows(lines: list[str], delimiter: str, count: int) -> bool:
    """Checks whether most lines have one cell for each column."""
    if not count:
        return True
    whole = sum(line.count(delimiter) == count - 1 for line in lines)
    return whole * 2 > len(lines)


def _kind(values, read_number) -> tuple[bool, Callable[[str], bool]]:
    """Finds which cells fit a column: numbers, or those that it has."""

    def is_number(text: str) -> bool:
        number = read_number(text)
        return number == number  # NaN is not

    if values.dtype.kind in "iuf":
        return True, is_number
    texts = [str(v).strip() for v in values.dropna().iloc[:_SAMPLE].tolist()]
    numbers = sum(map(is_number, texts))
    if texts and numbers >= 0.9 * len(texts):
        return True, is_number
    return False, set(texts).__contains__
