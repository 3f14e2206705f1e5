"""Groups of samples that must stay in one part."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from mtl_keras.datasets.reading.column import Column


def read_groups(column: Column) -> np.ndarray:
    """Numbers the groups of a column.

    Args:
        column: A column with the same value for all samples of a group.

    Returns:
        Integer array of shape `(n,)`, a number for each group.

    Raises:
        ValueError: If a sample has no group.
    """
    import pandas  # takes half a second to load

    if column.missing.any():
        index = int(np.argmax(column.missing))
        raise ValueError(
            f"`group` must name the group of each sample, found nothing in "
            f"{column.where(index)}. Fill it in, or drop the sample."
        )
    return pandas.factorize(column.names, sort=True)[0]


def check_groups_apart(column: Column, parts: Mapping[str, np.ndarray]) -> None:
    """Checks that no group has rows in two parts.

    Args:
        column: The column of the groups.
        parts: Dict from part to an integer array of rows.

    Raises:
        ValueError: If a group has.
    """
    names, owner = column.names, {}
    for part, rows in parts.items():
        for name in sorted(set(names[rows].tolist())):
            other = owner.setdefault(name, part)
            if other != part:
                row = int(rows[np.argmax(names[rows] == name)])
                raise ValueError(
                    f"`group`: samples of {name!r} are in {other} and in "
                    f"{part}, see {column.where(row)}. Put all of them into "
                    "one part, or leave `group` out."
                )
