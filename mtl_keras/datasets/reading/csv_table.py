"""Tables that are read from csv files."""

from __future__ import annotations

import functools
import os
from collections.abc import Collection, Sequence, Set

from mtl_keras.datasets.files import existing_file
from mtl_keras.datasets.reading.column import parse_number
from mtl_keras.datasets.reading.csv_errors import CsvErrors
from mtl_keras.datasets.reading.csv_header import check_marks, read_header
from mtl_keras.datasets.reading.csv_quotes import check_merged_rows
from mtl_keras.datasets.reading.csv_rows import (
    check_lengths,
    locate_row,
    rows_with_values,
)
from mtl_keras.datasets.reading.table import Table, check_texts

__all__ = ["read_csv_table", "read_header"]


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
        delimiter: String between two cells. Defaults to `","`.
        missing_values: Sequence of strings, cells that stand for a missing
            value besides the empty one. Defaults to `()`.
        names: Names of the columns of a file without a header. Defaults to
            `None`: the first line has them.
        columns: Names of the columns to read. Defaults to `None`: all.
        numbers: Names of columns that become numbers if all their cells are
            numbers. The others stay texts. Defaults to `()`.
        decimal: String between the whole part of a number and its decimals.
            Defaults to `"."`.
        thousands: String between groups of three digits. Defaults to `None`.

    Returns:
        The `Table`. Its cells are stripped, and blank lines are left out.

    Raises:
        FileNotFoundError: If the file does not exist.
        TypeError: If `missing_values` is not a sequence of strings.
        ValueError: If the file has no header, no row, rows of another length
            or a quote that is not closed.
    """
    import pandas  # takes half a second to load

    missing_values = check_texts("missing_values", missing_values)
    check_marks(delimiter, decimal, thousands)
    if thousands is not None:
        numbers = ()  # pandas takes the mark out wherever it stands
    file = existing_file(path, "Pass the path of a csv or csv.gz file.")
    header = read_header(file, argument, delimiter, names)
    if names is not None:
        header = list(names)
    with CsvErrors(file, argument, delimiter, len(header)):
        frame = pandas.read_csv(
            file,
            sep=delimiter,
            encoding="utf-8-sig",
            compression="gzip" if file.suffix == ".gz" else None,
            header=None if names is not None else 0,
            names=header,
            index_col=False,
            # With `usecols`, pandas drops the extra cells of a long line.
            dtype={name: str for name in header if name not in numbers},
            keep_default_na=False,
            # Texts keep their marks, which may be names.
            na_values={
                name: ["", *(missing_values if name in numbers else ())]
                for name in header
            },
            skipinitialspace=True,
            decimal=decimal,
            low_memory=False,
        )
    skipped = 0 if names is not None else 1
    read_number = functools.partial(
        parse_number, decimal=decimal, thousands=thousands
    )
    with CsvErrors(file, argument, delimiter, len(header)):
        check_merged_rows(
            frame, file, argument, delimiter, skipped, read_number
        )
        if frame[header[-1]].isna().any():
            # pandas fills up the missing cells of a short line.
            check_lengths(file, argument, delimiter, len(header))
    kept = rows_with_values(frame, file, delimiter, skipped)
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
        functools.partial(locate_row, file, delimiter, skipped, kept),
        missing_values,
        decimal,
        thousands,
        file,
    )
