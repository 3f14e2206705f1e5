"""Tables that are read from csv files."""

from __future__ import annotations

import csv
import functools
import gzip
import os
import warnings
from collections.abc import Collection, Iterator, Sequence, Set
from pathlib import Path

import numpy as np

from mtl_keras.datasets.files import existing_file
from mtl_keras.datasets.reading.table import Table, check_texts

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


def read_csv_table(
    path: str | os.PathLike,
    *,
    argument: str = "path",
    delimiter: str = ",",
    missing_values: Sequence[str] = (),
    names: Sequence[str] | None = None,
    columns: Set[str] | None = None,
    numbers: Collection[str] = (),
    decimal: str = ".",
    thousands: str | None = None,
) -> Table:
    """Reads a csv file.

    Args:
        path: String or path of a csv or csv.gz file, in UTF-8.
        argument: String, the argument that names the file, for errors.
            Defaults to `"path"`.
        delimiter: String, what stands between two cells. Defaults to `","`.
        missing_values: Sequence of strings, cells that stand for a missing
            value besides the empty one. Defaults to `()`.
        names: Names of the columns of a file without a header. Defaults to
            `None`: the first line has them.
        columns: Names of the columns to read. Defaults to `None`: all.
        numbers: Names of columns that become numbers where all their cells
            are. The others stay texts. Defaults to `()`.
        decimal: String between the whole part of a number and its decimals.
            Defaults to `"."`.
        thousands: String between groups of three digits. Defaults to `None`.

    Returns:
        The `Table`. Cells are stripped of blanks around them, empty lines are
        left out.

    Raises:
        FileNotFoundError: If there is no file.
        TypeError: If `missing_values` is no sequence of strings.
        ValueError: If it has no header, no row, or rows of another length.
    """
    import pandas  # takes half a second to load

    missing_values = check_texts("missing_values", missing_values)
    _check_marks(delimiter=delimiter, decimal=decimal, thousands=thousands)
    if thousands is not None:
        numbers = ()  # pandas takes the mark out wherever it stands
    file = existing_file(path, "Pass the path of a csv or csv.gz file.")
    header = read_header(file, argument, delimiter, names)
    if names is not None:
        header = list(names)
    with _CsvErrors(file, argument, delimiter, len(header)):
        frame = pandas.read_csv(
            file,
            sep=delimiter,
            encoding="utf-8-sig",
            compression="gzip" if file.suffix == ".gz" else None,
            header=None if names is not None else 0,
            names=header,
            index_col=False,
            # Not `usecols`, with which pandas drops what a long line has more.
            dtype={name: str for name in header if name not in numbers},
            keep_default_na=False,
            # Texts keep their marks, which may be names of something.
            na_values={
                name: ["", *(missing_values if name in numbers else ())]
                for name in header
            },
            skipinitialspace=True,
            decimal=decimal,
            low_memory=False,
        )
    if frame[header[-1]].isna().any():
        # pandas fills up what a short line lacks.
        _check_lengths(file, argument, delimiter, len(header))
    skipped = 0 if names is not None else 1
    kept = _rows_with_values(frame, file, delimiter, skipped)
    if not len(kept):
        raise ValueError(
            f"`{argument}` must hold samples, found a header and no rows in "
            f"'{file}'."
        )
    if len(kept) < len(frame):
        frame = frame.iloc[kept].reset_index(drop=True)
    if columns is not None and not columns >= set(header):
        frame = frame[[name for name in header if name in columns]]
    return Table(
        frame,
        f"'{file}'",
        functools.partial(_place, file, delimiter, skipped, kept),
        missing_values,
        decimal,
        thousands,
        file,
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
        delimiter: String, what stands between two cells.
        names: Names of the columns of a file without a header, or `None`.

    Returns:
        The cells of the first line.

    Raises:
        ValueError: If the file is empty, or its first line is no header.
    """
    _check_start(file, argument)
    with _CsvErrors(file, argument, delimiter, 0):
        _, header = next(_rows(file, delimiter), (0, []))
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


def _check_marks(**marks) -> None:
    """Raises a `ValueError` for marks that cannot be told apart."""
    for argument, mark in marks.items():
        if mark is None and argument == "thousands":
            continue
        if not isinstance(mark, str) or len(mark) != 1:
            raise ValueError(
                f"`{argument}` must be one character, found {mark!r}."
            )
    if marks["decimal"] == marks["thousands"]:
        raise ValueError(
            f"`decimal` and `thousands` are both {marks['decimal']!r}; say "
            "both, such as decimal=',' and thousands='.'."
        )


class _CsvErrors:
    """Turns errors of pandas and Python into those of a csv file."""

    def __init__(self, file, argument, delimiter, count):
        self._file, self._argument = file, argument
        self._check = functools.partial(
            _check_lengths, file, argument, delimiter, count
        )
        self._warnings = warnings.catch_warnings()

    def __enter__(self):
        import pandas

        self._warnings.__enter__()
        # Lines that are longer than the header.
        warnings.simplefilter("error", pandas.errors.ParserWarning)

    def __exit__(self, kind, error, trace):
        import pandas

        self._warnings.__exit__(kind, error, trace)
        file, argument = self._file, self._argument
        if isinstance(error, pandas.errors.EmptyDataError):
            raise ValueError(
                f"`{argument}` must hold a table, found an empty file at "
                f"'{file}'."
            ) from error
        if isinstance(error, UnicodeDecodeError):
            raise ValueError(
                f"`{argument}` must be a csv file in UTF-8, found other bytes "
                f"in '{file}'. Save it as 'CSV UTF-8'."
            ) from error
        broken = (
            pandas.errors.ParserError,
            pandas.errors.ParserWarning,
            csv.Error,
            EOFError,
            gzip.BadGzipFile,
        )
        if isinstance(error, broken):
            if isinstance(error, pandas.errors.ParserError | Warning):
                self._check()
            raise ValueError(
                f"`{argument}` must be a csv file, but '{file}' cannot be read "
                f"as one: {error}."
            ) from error


def _rows(file, delimiter) -> Iterator[tuple[int, list[str]]]:
    """Lines and cells of the rows, as Python reads them."""
    open_text = gzip.open if file.suffix == ".gz" else open
    # Excel writes a byte order mark, which utf-8-sig skips.
    with open_text(file, "rt", encoding="utf-8-sig", newline="") as text:
        reader = csv.reader(text, delimiter=delimiter, skipinitialspace=True)
        for row in reader:
            if len(row) > 1 or (row and row[0].strip()):
                yield reader.line_num, [cell.strip() for cell in row]


def _place(file, delimiter, skipped, kept, index) -> tuple[str, str]:
    row = int(kept[index]) + skipped
    for number, (line, _) in enumerate(_rows(file, delimiter)):
        if number == row:
            return f"line {line}", f"'{file}'"
    return f"row {index}", f"'{file}'"


def _rows_with_values(frame, file, delimiter, skipped) -> np.ndarray:
    """Numbers of the rows, but for empty ones at the end.

    An empty row within the table is a row of holes: what is predicted belongs
    to the lines.
    """
    kept = np.ones(len(frame), bool)
    if len(frame) and frame[frame.columns[-1]].isna().any():
        kept = ~frame.isna().all(axis=1).to_numpy()
    if not kept.all():
        # Of what is missing here, a cell may say so in a word.
        for number, (_, cells) in enumerate(_rows(file, delimiter)):
            if number >= skipped and any(cells):
                kept[number - skipped] = True
    last = np.flatnonzero(kept)
    return np.arange(last[-1] + 1 if len(last) else 0)


def _check_lengths(file, argument, delimiter, count) -> None:
    """Raises a `ValueError` at a row of another number of cells."""
    for line, row in _rows(file, delimiter):
        if len(row) != count and any(row):
            raise ValueError(
                f"`{argument}` must have {count} cells in each line, one for "
                f"each column, found {len(row)} in line {line} of '{file}'. "
                f"Put quotes around a cell that holds a {delimiter!r}."
            )


def _check_start(file, argument) -> None:
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
