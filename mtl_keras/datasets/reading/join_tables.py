"""Several tables with the same columns, as one."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import numpy as np

from mtl_keras.datasets.reading.table import Table


def join_tables(tables: Sequence[Table]) -> Table:
    """Concatenates the rows of tables.

    Args:
        tables: Tables with the same columns, in any order.

    Returns:
        One table, whose cells have their place in their own file.
    """
    import pandas  # takes half a second to load

    first = tables[0]
    if len(tables) == 1:
        return first
    starts = np.cumsum([0, *map(len, tables)])

    def place(index: int) -> tuple[str, str]:
        number = int(np.searchsorted(starts, index, side="right")) - 1
        return tables[number].place(index - starts[number])

    frame = pandas.concat(
        [table.frame[list(first.frame.columns)] for table in tables],
        ignore_index=True,
    )
    return dataclasses.replace(first, frame=frame, place=place)


def kinds_differ(tables: Sequence[Table], names: Sequence[str]) -> set[str]:
    """Finds columns that are numbers in one table and texts in another.

    Args:
        tables: The tables.
        names: Names of columns.

    Returns:
        Their names.
    """
    return {
        name
        for name in names
        if len({t.frame[name].dtype.kind in "biuf" for t in tables}) > 1
    }
