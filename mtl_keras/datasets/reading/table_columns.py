"""The columns of a table that are read, and as what."""

from __future__ import annotations

import dataclasses
from collections.abc import Collection, Mapping, Sequence
from typing import Protocol

import numpy as np

from mtl_keras import tables
from mtl_keras.columns.column_values import is_missing
from mtl_keras.datasets.reading.dates import read_seconds
from mtl_keras.datasets.reading.input_columns import (
    check_inputs,
    check_same_kinds,
    choose_inputs,
    read_inputs,
)
from mtl_keras.datasets.reading.missing_values import check_missing_values
from mtl_keras.datasets.reading.table import Table, check_texts
from mtl_keras.datasets.reading.table_arguments import TableArguments
from mtl_keras.datasets.reading.target_spec import TargetSpec
from mtl_keras.datasets.table_encoding import TableEncoding
from mtl_keras.spelling import did_you_mean


class TableReader(Protocol):
    """Reads a table, once it is known which columns are texts.

    Args:
        names: List of the names of the columns.
        source: String, the holder of the table.
        parts: Dict from the name of a part to the number of its rows, in
            their order, if each part has a file; otherwise `None`. It is known
            once the table is read.
        categories: Names of the columns that are categories by their dtype.
    """

    names: Sequence[str]
    source: str
    parts: Mapping[str, int] | None
    categories: Collection[str]

    def read(self, columns: Sequence[str], numbers: Sequence[str]) -> Table:
        """Reads columns, some of which become numbers if all cells are."""


def read_columns(
    reader: TableReader,
    arguments: TableArguments,
    specs: Sequence[TargetSpec],
) -> tuple[Table, dict[str, np.ndarray], set[str], dict[str, str]]:
    """Reads a table and its inputs.

    Args:
        reader: The reader of the table.
        arguments: The arguments of the caller.
        specs: The specs of the tasks.

    Returns:
        The `Table`; a dict from the name of an input to an array of shape
        `(n,)`, checked; the names of those that are categories; and a dict
        from column to the form of its dates.

    Raises:
        TypeError: If an argument is of another type.
        ValueError: If a column does not exist, or a value does not fit.
    """
    inputs = _choose_inputs(reader, arguments, specs)
    categories = _categories(reader, arguments, inputs)
    table, date_forms = _read(reader, arguments, specs, inputs, categories)
    like = arguments.like
    known = _known_categories(like)
    if like is not None:
        check_same_kinds(table, like, inputs, known)
    columns = read_inputs(table, inputs, categories, known)
    if arguments.reading["missing_inputs"] == "error":
        _check_complete(table, columns)
    if like is None:
        declared = {
            *arguments.encoding["categories"],
            *arguments.encoding["embed"],
        }
        check_inputs(table, columns, categories, declared)
    return table, columns, categories, date_forms


def _choose_inputs(reader, arguments, specs) -> list[str]:
    like = arguments.like
    if like is None:
        others = {
            arguments.split: "split",
            arguments.group: "group",
            arguments.task_column: "task_column",
        }
        others.pop(None, None)
        return choose_inputs(
            reader.names,
            arguments.inputs,
            arguments.exclude,
            {c: spec.name for spec in specs for c in spec.columns},
            others,
            reader.source,
        )
    if arguments.inputs is not None or arguments.exclude:
        raise ValueError(
            "`inputs` and `exclude` come from the data of `like`. Leave "
            "them out."
        )
    for name in like.inputs:
        if name not in reader.names:
            raise ValueError(
                f"{reader.source} does not have the input column {name!r} "
                f"of the data of `like`. "
                f"{did_you_mean(name, reader.names)}"
            )
    return list(like.inputs)


def _categories(reader, arguments, inputs) -> set[str]:
    like = arguments.like
    if like is not None:
        features = like.feature_space.features
        safe = tables.safe_names(like.inputs)
        return {
            name
            for name in inputs
            if not features[safe[name]].dtype.startswith("float")
        }
    categories = {
        *check_texts("categories", arguments.encoding["categories"]),
        *check_texts("embed", arguments.encoding["embed"]),
    }
    for name in categories:
        if name not in inputs:
            raise ValueError(
                f"`categories` and `embed` name {name!r}, which is not an "
                f"input. {did_you_mean(name, inputs)}"
            )
    return categories | (set(reader.categories) & set(inputs))


def _known_categories(
    like: TableEncoding | None,
) -> dict[str, dict[str, str]]:
    """Spellings of the categories of the input columns of `like`."""
    return {} if like is None else like.spellings()


def _read(
    reader, arguments, specs, inputs, categories
) -> tuple[Table, dict[str, str]]:
    asked = {c: "tasks" for spec in specs for c in spec.columns}
    if not arguments.labels:
        asked = {}
    uses = {"split": arguments.split, "group": arguments.group}
    if arguments.labels:
        uses["task_column"] = arguments.task_column
    asked |= {name: use for use, name in uses.items() if name is not None}
    for name, argument in asked.items():
        if name not in reader.names:
            raise ValueError(
                f"`{argument}` names the column {name!r}, which "
                f"{reader.source} does not have. "
                f"{did_you_mean(name, reader.names)}"
            )
    dates = arguments.reading["parse_dates"]
    numbers = [n for n in inputs if n not in categories and n not in dates]
    if arguments.like is None:
        check_missing_values(arguments.reading["missing_values"], reader.names)
    table = reader.read([*inputs, *asked], numbers)
    before = {} if arguments.like is None else arguments.like.date_forms
    forms = {}
    for name in dates:
        if name not in inputs and name not in asked:
            if arguments.like is not None:
                continue
            raise ValueError(
                f"`parse_dates` names {name!r}, which is not a column that is "
                f"read. {did_you_mean(name, [*inputs, *asked])}"
            )
        seconds, forms[name] = read_seconds(
            table, name, arguments.reading["day_first"], before.get(name)
        )
        table = dataclasses.replace(
            table, frame=table.frame.assign(**{name: seconds})
        )
    return table, forms


def _check_complete(table: Table, columns) -> None:
    for name, values in columns.items():
        missing = is_missing(values)
        if missing.any():
            row = int(np.argmax(missing))
            raise ValueError(
                f"`inputs` must be complete with missing_inputs='error', found "
                f"no value in {table.where(row, name)} ({int(missing.sum())} "
                f"of {len(missing)} are missing). Fill values in, leave the "
                "column out, or pass missing_inputs='encode'."
            )
