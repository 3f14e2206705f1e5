"""Checks of the first rows of a csv file."""

from __future__ import annotations

import codecs
from collections.abc import Sequence
from pathlib import Path

from mtl_keras.datasets.reading.csv_rows import Row, width
from mtl_keras.datasets.reading.frames import to_frame
from mtl_keras.datasets.reading.table import check_texts

_EXCEL = "Save it as 'CSV UTF-8', or pass pandas.read_excel(...)"
_JSON = "Pass pandas.read_json(..., lines=True)"
# Beginnings of other files, their kinds and the way out.
_OTHER_TABLES = (
    (b"PK\x03\x04", "an Excel file or a zip archive", _EXCEL),
    (b"\xd0\xcf\x11\xe0", "an Excel file", _EXCEL),
    (b"PAR1", "a Parquet file", "Pass pandas.read_parquet(...)"),
    (b"<", "HTML or XML", "Pass pandas.read_html(...)[0] or read_xml(...)"),
    (b'{"', "JSON", _JSON),
    (b"[{", "JSON", "Pass pandas.read_json(...)"),
    (
        b"@relation",
        "an ARFF file",
        "Pass pandas.DataFrame(scipy.io.arff.loadarff(...)[0])",
    ),
)


def check_start(file: Path, argument: str) -> None:
    """Raises a `ValueError` for files of other programs.

    Args:
        file: Path of the file.
        argument: String, the argument that names it.
    """
    with file.open("rb") as stream:
        start = stream.read(64).removeprefix(codecs.BOM_UTF8).lstrip()
    for mark, kind, way_out in _OTHER_TABLES:
        if start[: len(mark)].lower() == mark.lower():
            raise ValueError(
                f"`{argument}` must be a csv file, found {kind} in '{file}'. "
                f"{way_out} {to_frame(argument)}."
            )


def check_title(
    rows: Sequence[Row], file: Path, argument: str, delimiter: str
) -> None:
    """Raises a `ValueError` for lines before the header.

    These have fewer cells than most rows.

    Args:
        rows: The first rows of the file.
        file: Path of the file.
        argument: String, the argument that names it.
        delimiter: String between two cells.
    """
    (line, first), *others = rows
    longer = [row for row in others if width(row[1]) > width(first)]
    if len(longer) < 2 or len(longer) * 2 <= len(others):
        return
    cells = [cell for cell in first if cell]
    raise ValueError(
        f"`{argument}` must have a header with a name for each column, found "
        f"{width(first)} cell(s) in line {line} of '{file}', such as "
        f"{cells[0] if cells else ''!r}, and {width(longer[0][1])} in line "
        f"{longer[0][0]}. If lines come before the header, remove them, or "
        "pass pandas.read_csv(..., skiprows="
        f"{longer[0][0] - 1}) {to_frame(argument)}; if a name is missing, add "
        f"it; if cells hold a {delimiter!r}, put quotes around them."
    )


def check_names(
    names: Sequence[str], first: Sequence[str], file: Path, argument: str
) -> None:
    """Checks the names of the columns of a file without a header.

    Args:
        names: The names.
        first: The cells of the first row.
        file: Path of the file.
        argument: String, the argument that names it.

    Raises:
        ValueError: If they do not fit.
    """
    check_texts("names", names)
    if len(names) != len(first):
        raise ValueError(
            f"`names` must name the {len(first)} columns of '{file}', found "
            f"{len(names)} names."
        )
    if len(set(names)) < len(names):
        raise ValueError(f"`names` holds a name twice: {list(names)}.")
    if list(names) == list(first):
        raise ValueError(
            f"`names` is for a file without a header, but line 1 of '{file}' "
            "holds these names. Leave `names` out."
        )


def check_delimiter(
    first: Sequence[str], file: Path, argument: str, delimiter: str
) -> None:
    """Raises a `ValueError` if another mark is between the cells.

    Args:
        first: The cells of the first row.
        file: Path of the file.
        argument: String, the argument that names it.
        delimiter: String between two cells.
    """
    marks = [mark for mark in ";\t|" if mark in first[0]]
    if len(first) == 1 and marks and delimiter not in marks:
        raise ValueError(
            f"`{argument}` must have cells between {delimiter!r}, found "
            f"{marks[0]!r} in the header of '{file}'. Pass "
            f"delimiter={marks[0]!r}."
        )


def check_header(rows: Sequence[Row], file: Path, argument: str) -> None:
    """Checks that the first row is a header.

    Args:
        rows: The first rows of the file.
        file: Path of the file.
        argument: String, the argument that names it.

    Raises:
        ValueError: If it holds data, or a name twice.
    """
    (line, header), *others = rows
    names = [name for name in header if name]
    numbers = sum(map(_is_number, names))
    if numbers == len(names) or (numbers > 1 and numbers * 2 > len(names)):
        raise ValueError(
            f"`{argument}` must have a header, found numbers in line {line} of "
            f"'{file}'. {_no_header(header, argument)}"
        )
    if _fits_rows(header, [row for _, row in others]):
        raise ValueError(
            f"`{argument}` must have a header, found cells as in the rows "
            f"below in line {line} of '{file}', such as {names[0]!r}. "
            f"{_no_header(header, argument)}"
        )
    for name in names:
        if header.count(name) > 1:
            raise ValueError(
                f"`{argument}` must have a different name for each column, "
                f"found {name!r} {header.count(name)} times in the header of "
                f"'{file}'. Rename one of them, or pass pandas.read_csv(...), "
                f"which does so, {to_frame(argument)}."
            )


def _no_header(header: Sequence[str], argument: str) -> str:
    to, count = to_frame(argument), len(header)
    if argument == "labels":
        return (
            f"No header? Add a line with the names of its {count} columns, or "
            f"pass pandas.read_csv(..., names=[...]) {to}. If these are the "
            f"names, pass pandas.read_csv(...) {to}."
        )
    return (
        f"No header? Pass the names of its {count} columns as names=[...]. If "
        f"these are the names, pass pandas.read_csv(...) {to}."
    )


def _fits_rows(header: Sequence[str], rows: Sequence[Sequence[str]]) -> bool:
    """Returns whether a first row holds data: a text comes again below it.

    Numbers are names too, such as years, unless they have decimals.
    """
    rows = [row for row in rows if list(row) != list(header)]
    if len(rows) < 2:
        return False
    again = numbers = decimals = 0
    for number, cell in enumerate(header):
        below = [row[number] for row in rows if len(row) > number]
        below = [text for text in below if text]
        if not cell or not below:
            continue
        if _is_number(cell):
            fits = all(map(_is_number, below))
            numbers += fits
            decimals += fits and not cell.isdigit()
        else:
            again += cell in below
    return bool(
        decimals or (numbers and again) or again * 2 > max(len(header), 2)
    )


def _is_number(cell: str) -> bool:
    try:
        float(cell)
    except ValueError:
        return False
    return True
