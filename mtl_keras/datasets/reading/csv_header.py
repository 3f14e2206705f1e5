"""The header of a csv file, and the marks that its cells are read by."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from mtl_keras.datasets.reading.csv_errors import CsvErrors
from mtl_keras.datasets.reading.csv_rows import read_rows
from mtl_keras.datasets.reading.table import check_texts

_EXCEL = (
    "Save it as 'CSV UTF-8', or read it with pandas.read_excel and pass the "
    "frame to from_dataframe."
)
_OTHER_TABLES = (
    (b"PK\x03\x04", "an Excel file or a zip archive", _EXCEL),
    (b"\xd0\xcf\x11\xe0", "an Excel file", _EXCEL),
    (
        b"PAR1",
        "a Parquet file",
        "Read it with pandas.read_parquet and pass "
        "the frame to from_dataframe.",
    ),
)


def check_marks(
    delimiter: str, decimal: str = ".", thousands: str | None = None
) -> None:
    """Checks the marks between cells and within numbers.

    Args:
        delimiter: The argument `delimiter`.
        decimal: The argument `decimal`.
        thousands: The argument `thousands`.

    Raises:
        ValueError: If one is not a single usable character, or two of them
            are the same.
    """
    marks = {
        "delimiter": delimiter,
        "decimal": decimal,
        "thousands": thousands,
    }
    if thousands is None:
        del marks["thousands"]
    for argument, mark in marks.items():
        if not isinstance(mark, str) or len(mark) != 1:
            raise ValueError(
                f"`{argument}` must be one character, found {mark!r}."
                + _hint(argument, mark)
            )
        if mark in "\"'\r\n" and (argument, mark) != ("thousands", "'"):
            raise ValueError(
                f"`{argument}` must be a character that neither quotes a cell "
                f"nor ends a line, found {mark!r}."
            )
        if mark.isdigit() or (mark in "+-" and argument != "delimiter"):
            raise ValueError(
                f"`{argument}` must not be part of a number, found {mark!r}."
            )
    if decimal == thousands:
        raise ValueError(
            f"`decimal` and `thousands` are both {decimal!r}; pass both, such "
            "as decimal=',' and thousands='.'."
        )


def _hint(argument: str, mark) -> str:
    if argument != "delimiter" or not isinstance(mark, str) or not mark:
        return ""
    if mark in ("\\t", "tab", "TAB"):
        return " Pass delimiter='\\t' for a tab."
    return (
        " Read the file with pandas.read_csv(..., sep=..., engine='python') "
        "and pass the frame to from_dataframe."
    )


def read_header(
    file: Path,
    argument: str,
    delimiter: str,
    names: Sequence[str] | None = None,
) -> list[str]:
    """Reads the names of the columns of a csv file.

    Args:
        file: Path of the file.
        argument: String, the argument that names the file, for errors.
        delimiter: String between two cells.
        names: Names of the columns of a file without a header, or `None`.

    Returns:
        The cells of the first line.

    Raises:
        ValueError: If the file is empty, or its first line is not a header.
    """
    _check_start(file, argument)
    with CsvErrors(file, argument, delimiter, 0):
        _, header = next(read_rows(file, delimiter), (0, []))
    if not header:
        raise ValueError(
            f"`{argument}` must hold a table, found an empty file at '{file}'."
        )
    if names is None:
        _check_header(header, file, argument, delimiter)
        return header
    check_texts("names", names)
    if len(names) != len(header):
        raise ValueError(
            f"`names` must name the {len(header)} columns of '{file}', found "
            f"{len(names)} names."
        )
    if len(set(names)) < len(names):
        raise ValueError(f"`names` holds a name twice: {list(names)}.")
    if list(names) == header:
        raise ValueError(
            f"`names` is for a file without a header, but line 1 of '{file}' "
            "holds these names. Leave `names` out."
        )
    return header


def _check_start(file: Path, argument: str) -> None:
    """Raises a `ValueError` for tables of other programs."""
    with file.open("rb") as stream:
        start = stream.read(8)
    for mark, kind, way_out in _OTHER_TABLES:
        if start.startswith(mark):
            raise ValueError(
                f"`{argument}` must be a csv file, found {kind} in '{file}'. "
                f"{way_out}"
            )


def _check_header(header, file, argument, delimiter) -> None:
    others = [mark for mark in ";\t|" if mark in header[0]]
    if len(header) == 1 and others and delimiter not in others:
        raise ValueError(
            f"`{argument}` must have cells between {delimiter!r}, found "
            f"{others[0]!r} in the header of '{file}'. Pass "
            f"delimiter={others[0]!r}."
        )
    numbers = sum(map(_is_number, header))
    if numbers == len(header) or (numbers > 1 and numbers * 2 > len(header)):
        raise ValueError(
            f"`{argument}` must have a header, found numbers in line 1 of "
            f"'{file}'. No header? Pass the names of its {len(header)} columns "
            "as names=[...]."
        )
    for name in header:
        if header.count(name) > 1:
            raise ValueError(
                f"`{argument}` must have a different name for each column, "
                f"found {name!r} {header.count(name)} times in the header of "
                f"'{file}'."
            )


def _is_number(cell: str) -> bool:
    try:
        float(cell)
    except ValueError:
        return False
    return True
