"""The parts of a table: of a column, of files, or drawn."""

from __future__ import annotations

import numpy as np

from mtl_keras.datasets.reading.groups import check_groups_apart, read_groups
from mtl_keras.datasets.reading.partition import partition
from mtl_keras.datasets.reading.split_column import read_split_column
from mtl_keras.datasets.reading.table import Table
from mtl_keras.datasets.reading.table_arguments import TableArguments
from mtl_keras.datasets.reading.table_columns import TableReader

PARTS = ("train", "validation", "test")


def read_parts(
    reader: TableReader, table: Table, arguments: TableArguments
) -> tuple[dict[str, np.ndarray], np.ndarray | None]:
    """Finds the rows of each part.

    Args:
        reader: The reader of the table.
        table: The table.
        arguments: The arguments of the caller.

    Returns:
        Dict from part to an integer array of rows, and an integer array of
        shape `(n,)` with a number for the group of each row, or `None`. With
        `like`, the training part may be empty.

    Raises:
        ValueError: If parts are named twice, not at all, or share a group.
    """
    groups = None
    if arguments.group is not None:
        groups = read_groups(table.column(arguments.group, "group"))
    parts = _named_parts(reader, table, arguments)
    if parts and groups is not None:
        check_groups_apart(table.column(arguments.group, "group"), parts)
    shares = {"validation": arguments.validation, "test": arguments.test}
    if arguments.split is not None or not arguments.labels:
        shares = {}
    shares = {p: share for p, share in shares.items() if p not in parts}
    train = parts.get("train", np.arange(len(table)))
    if len(train) or not parts:
        drawn = partition(
            len(train),
            validation=shares.get("validation", 0),
            test=shares.get("test", 0),
            seed=arguments.seed,
            source=reader.source,
            groups=None if groups is None else groups[train],
        )
        parts.update({part: train[rows] for part, rows in drawn.items()})
    return {part: parts[part] for part in PARTS if part in parts}, groups


def _named_parts(reader, table, arguments) -> dict[str, np.ndarray]:
    if arguments.split is not None:
        if reader.parts is not None:
            raise ValueError(
                "`split` names a column, and each part has a file. Leave one "
                "of them out."
            )
        column = table.column(arguments.split, "split")
        return read_split_column(column, needs_train=arguments.like is None)
    if reader.parts is None:
        return {}
    ends = np.cumsum(list(reader.parts.values()))[:-1]
    rows = np.split(np.arange(len(table)), ends)
    return {
        "train": np.arange(0),
        **dict(zip(reader.parts, rows, strict=True)),
    }
