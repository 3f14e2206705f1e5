"""Tables that are read from csv files."""

from __future__ import annotations

import functools
import os
from collections.abc import Collection, Sequence, Set

from mtl_keras.datasets.files import existing_file
from mtl_keras.datasets.reading.column import parse_number
from mtl_keras.datasets.reading.csv_errors import CsvErrors
from mtl_keras.datasets.reading.csv_header import read_layout
from mtl_keras.datasets.reading.csv_marks import check_marks
from mtl_keras.datasets.reading.csv_quotes import check_merged_rows
from mtl_keras.datasets.reading.csv_rows import (
    check_lengths,
    count_spare_cells,
    locate_row,
    rows_with_values,
)
from mtl_keras.datasets.reading.missing_values import (
    MissingValues,
    check_missing_values,
    missing_values_for,
)
from mtl_keras.datasets.reading.table import Table


def read_csv_table(
    path: str | os.PathLike,
    *,
    argument: str = "path",
    delimiter: str = ",",
    missing_values: MissingValues = (),
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
            value besides the empty one, or a dict of them by column. Defaults
            to `()`.
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

    missing_values = check_missing_values(missing_values)
    check_marks(delimiter, decimal, thousands, argument)
    if thousands is not None:
        numbers = ()  # pandas takes the mark out wherever it stands
    file = existing_file(path, "Pass the path of a csv or csv.gz file.")
    layout = read_layout(file, argument, delimiter, names)
    header, skipped = layout.names, layout.skipped
    all_columns = list(layout.columns)

    def read(first: dict):
        return pandas.read_csv(
            file,
            sep=delimiter,
            encoding="utf-8-sig",
            compression="gzip" if file.suffix == ".gz" else None,
            **first,
            names=all_columns,
            index_col=False,
            # With `usecols`, pandas drops the extra cells of a long line.
            dtype={name: str for name in all_columns if name not in numbers},
            keep_default_na=False,
            # Texts keep their marks, which may be names.
            na_values={
                name: [
                    "",
                    *missing_values_for(
                        missing_values if name in numbers else (), name
                    ),
                ]
                for name in all_columns
            },
            skipinitialspace=True,
            decimal=decimal,
            low_memory=False,
        )

    read_number = functools.partial(
        parse_number, decimal=decimal, thousands=thousands
    )
    with CsvErrors(file, argument, delimiter, len(header)):
        try:
            has_header = {"header": 0 if names is None else None}
            frame = read({"skiprows": int(layout.has_mark), **has_header})
        except (pandas.errors.ParserError, pandas.errors.ParserWarning):
            # Excel writes empty cells behind a table.
            count = len(all_columns)
            spare = count_spare_cells(file, delimiter, count)
            if not spare:
                raise
            all_columns += [f"Unnamed: {count + n}" for n in range(spare)]
            # pandas would take the number of cells from the header.
            frame = read({"skiprows": layout.line, "header": None})
        check_merged_rows(
            frame, file, argument, delimiter, skipped, read_number
        )
        count = all_columns.index(header[-1]) + 1
        if frame[header[-1]].isna().any():
            # pandas fills up the missing cells of a short line.
            spare = len(all_columns) - count
            check_lengths(file, argument, delimiter, count, spare)
    kept = rows_with_values(frame, file, delimiter, skipped)
    if not len(kept):
        raise ValueError(
            f"`{argument}` must hold samples, found a header and no rows in "
            f"'{file}'."
        )
    if len(kept) < len(frame):
        frame = frame.iloc[kept].reset_index(drop=True)
    if len(header) < len(all_columns):
        frame = frame[header]
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
