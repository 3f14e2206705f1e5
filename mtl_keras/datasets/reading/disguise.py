"""Columns of texts that are numbers, dates or holes in disguise."""

from __future__ import annotations

import re

import numpy as np

from mtl_keras.columns.disguised_numbers import find_disguise
from mtl_keras.datasets.reading.column import Column


def describe_disguise(column: Column) -> tuple[str, str] | None:
    """Describes numbers, dates or holes that a column holds as texts.

    Args:
        column: The column.

    Returns:
        The finding with an example and its place, and the way out; `None` for
        plain numbers, for names and for categories of pandas.
    """
    if not column.is_text or column.is_category:
        return None
    found = find_disguise(
        column.name, map(str, column.distinct.tolist()), column.read_number
    )
    if found is None:
        return None
    what, text, way_out = found
    arguments = re.findall(r"(\w+)=", way_out)
    if column.offers is not None and not column.offers.issuperset(arguments):
        way_out = "Convert them to numbers before the file is saved"
    row = int(np.argmax(column.values == text))
    return f"{what}, such as {text!r} in {column.where(row)}", way_out
