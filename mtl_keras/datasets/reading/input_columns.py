"""Which columns of a table are inputs, and what is wrong with one."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

import numpy as np

from mtl_keras.datasets.reading.column import Column
from mtl_keras.datasets.reading.table import Table, check_texts
from mtl_keras.safe_name import safe_names
from mtl_keras.spelling import did_you_mean
from mtl_keras.tables.columns import is_text
from mtl_keras.tables.disguised_numbers import find_disguise

# Texts that differ in most rows are names or sentences, but few may.
FEW_TEXTS = 100


def choose_inputs(
    names: Sequence[str],
    inputs: Sequence[str] | None,
    exclude: Sequence[str],
    labels: Mapping[str, str],
    others: Mapping[str, str],
    source: str,
) -> list[str]:
    """Chooses the columns to predict from.

    Args:
        names: Names of the columns of the table.
        inputs: The argument `inputs`: names, or `None` for all that are left.
        exclude: The argument `exclude`.
        labels: Dict from a column of labels to its task.
        others: Dict from a column with another use to its argument.
        source: String, what holds the table, for errors.

    Returns:
        The names of the columns.

    Raises:
        TypeError: If an argument is no list of names.
        ValueError: If a column does not exist, has two uses, or none is left.
    """
    exclude = check_texts("exclude", exclude)
    for name in exclude:
        if name not in names:
            raise ValueError(
                f"`exclude` names the column {name!r}, which {source} does not "
                f"have. {did_you_mean(name, names)}"
            )
    if inputs is None:
        # The column without a name is the index that pandas writes.
        inputs = [
            name
            for name in names
            if name and name not in {*labels, *others, *exclude}
        ]
    else:
        inputs = check_texts("inputs", inputs)
    if not inputs:
        raise ValueError(
            f"`inputs` must name a column of {source} at least, found none "
            "besides those of the tasks."
        )
    uses = {
        **{
            name: f"task {task!r} is to predict"
            for name, task in labels.items()
        },
        **{name: f"`{argument}` names" for name, argument in others.items()},
        **{name: "`exclude` names" for name in exclude},
    }
    for name in inputs:
        if name in uses:
            raise ValueError(
                f"`inputs` names {name!r}, which {uses[name]} too. Leave it "
                "out of one of both."
            )
        if list(inputs).count(name) > 1:
            raise ValueError(f"`inputs` names {name!r} twice.")
        if name not in names:
            raise ValueError(
                f"`inputs` names the column {name!r}, which {source} does not "
                f"have. {did_you_mean(name, names)}"
            )
    return list(inputs)


def read_inputs(
    table: Table,
    names: Sequence[str],
    categories: Collection[str],
    texts: Collection[str] = (),
) -> dict[str, np.ndarray]:
    """Reads the inputs of a table, with holes where values are missing.

    Args:
        table: The table.
        names: Names of the columns.
        categories: Names of those whose numbers are categories.
        texts: Names of those that are texts whatever they hold.

    Returns:
        Dict from name to an array of shape `(n,)`, see `Table.input`.
    """
    return {
        name: table.input(name, name in categories, name in texts)
        for name in names
    }


def check_inputs(
    table: Table, columns: Mapping[str, np.ndarray], categories: Collection[str]
) -> None:
    """Raises an error for inputs that are neither numbers nor categories.

    Args:
        table: The table, for the error.
        columns: Dict from name to the input.
        categories: Names of the columns that are categories because the
            caller says so.

    Raises:
        ValueError: If texts are numbers, dates or holes in disguise, numbers
            are mixed with other texts, or most differ.
    """
    for name, values in columns.items():
        if name in categories:
            continue
        column = table.column(name, "inputs")
        texts = column.is_text and is_text(values)
        if texts:
            _check_disguise(column)
        bad = column.no_number
        if bad.any() and bad.sum() * 2 < (~column.missing).sum():
            row = int(np.argmax(bad))
            value = str(column.values[row])
            raise ValueError(
                "`inputs` must hold numbers where most values are, found "
                f"{value!r} in {column.where(row)}. If it stands for a missing "
                f"value, pass missing_values=({value!r},); if the column holds "
                f"categories, categories=[{name!r}]."
            )
        if not texts:
            continue
        distinct, there = len(column.distinct), int((~column.missing).sum())
        if distinct > max(FEW_TEXTS, there / 2):
            raise ValueError(
                f"`inputs` names {name!r}, whose texts differ in most rows "
                f"({distinct} in {there}, such as {column.distinct[0]!r}), so "
                "that nothing is learned from them. Leave the column out by "
                f"exclude=[{name!r}], or say that they are categories: "
                f"categories=[{name!r}]."
            )


def check_same_kinds(table: Table, encoding, names: Sequence[str]) -> None:
    """Raises an error for a text where the data of `like` have numbers.

    Args:
        table: The table.
        encoding: `TableEncoding` of the data that were read before.
        names: Names of the inputs.

    Raises:
        ValueError: If a cell is no number. The error names its line.
    """
    safe = safe_names(encoding.inputs)
    features = encoding.feature_space.features
    for name in names:
        column = table.column(name, "inputs")
        dtype = features[safe[name]].dtype
        if dtype == "string" or column.values.dtype.kind == "b":
            continue
        bad = column.no_number
        if bad.any():
            row = int(np.argmax(bad))
            value = str(column.values[row])
            raise ValueError(
                f"`inputs` must be numbers where those of `like` are, found "
                f"{value!r} in {column.where(row)}. If it stands for a missing "
                f"value, pass missing_values=({value!r},)."
            )


def _check_disguise(column: Column) -> None:
    found = find_disguise(
        column.name, map(str, column.distinct.tolist()), column.read_number
    )
    if found is None:
        return
    what, text, way_out = found
    row = int(np.argmax(column.values == text))
    raise ValueError(
        f"`inputs` must be numbers or categories, found {what}, such as "
        f"{text!r} in {column.where(row)}. {way_out}, leave the column out by "
        f"exclude=[{column.name!r}], or say that these are categories: "
        f"categories=[{column.name!r}]."
    )
