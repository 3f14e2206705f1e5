"""Errors of pandas and Python, as those of a csv file."""

from __future__ import annotations

import codecs
import csv
import gzip
import warnings
from pathlib import Path

from mtl_keras.datasets.reading.csv_quotes import check_quotes
from mtl_keras.datasets.reading.csv_rows import check_lengths
from mtl_keras.datasets.reading.frames import to_frame

_UTF_16 = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)


class CsvErrors:
    """Context that turns errors of a reader into those of a csv file.

    Args:
        file: Path of the file.
        argument: String, the argument that names the file.
        delimiter: String between two cells.
        count: Integer, the number of columns.
    """

    def __init__(self, file: Path, argument: str, delimiter: str, count: int):
        self._file, self._argument = file, argument
        self._delimiter, self._count = delimiter, count
        self._warnings = warnings.catch_warnings()

    def __enter__(self):
        import pandas  # takes half a second to load

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
                f"`{argument}` must be a csv file in UTF-8, "
                f"{_other_bytes(file, self._delimiter, to_frame(argument))}"
            ) from error
        broken = (
            pandas.errors.ParserError,
            pandas.errors.ParserWarning,
            csv.Error,
            EOFError,
            gzip.BadGzipFile,
        )
        if isinstance(error, broken):
            if not isinstance(error, EOFError | gzip.BadGzipFile):
                check_quotes(file, argument, self._delimiter)
            if isinstance(error, pandas.errors.ParserError | Warning):
                check_lengths(file, argument, self._delimiter, self._count)
            raise ValueError(
                f"`{argument}` must be a csv file, but '{file}' cannot be read "
                f"as one: {error}."
            ) from error


def _other_bytes(file: Path, delimiter: str, to: str) -> str:
    """Describes the first bytes that are not UTF-8, and the way out."""
    opener = gzip.open if file.suffix == ".gz" else open
    with opener(file, "rb") as stream:
        data = stream.read()
    if data.startswith(_UTF_16):
        return (
            f"found UTF-16 in '{file}'. Save it as 'CSV UTF-8', or pass "
            f"pandas.read_csv(..., encoding='utf-16') {to}."
        )
    try:
        data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        start, end = error.start, error.end
    # The byte order mark does not count.
    data = data.removeprefix(codecs.BOM_UTF8)
    line = data[:start].count(b"\n") + 1
    first = data.rfind(b"\n", 0, start) + 1
    rows = csv.reader(
        [data[first:start].decode()], delimiter=delimiter, strict=False
    )
    column = max(len(next(rows, [])), 1)
    return (
        f"found the bytes {data[start:end]!r} in line {line}, column {column} "
        f"of '{file}'. Save it as 'CSV UTF-8', or pass pandas.read_csv(..., "
        f"encoding='cp1252'), or the encoding that it has, {to}."
    )
