"""The input columns of a table: chosen, read and checked."""

from __future__ import annotations

import re
import warnings
from collections.abc import Collection, Mapping, Sequence

import numpy as np

from mtl_keras.columns.column_values import is_text
from mtl_keras.datasets.reading.column import Column, too_large_found
from mtl_keras.datasets.reading.disguise import describe_disguise
from mtl_keras.datasets.reading.table import Table, check_texts
from mtl_keras.safe_name import safe_names
from mtl_keras.spelling import did_you_mean

# More texts than these that differ in most rows are names or sentences.
FEW_TEXTS = 100
# Names of the index that pandas writes, in the file and as it reads it.
_INDEX = re.compile(r"(Unnamed: \d+)?")


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
        source: String, the holder of the table, for errors.

    Returns:
        The names of the columns.

    Raises:
        TypeError: If an argument is not a list of names.
        ValueError: If a column does not exist, has two uses, or none is left.

    Warns:
        UserWarning: If the index that pandas writes is left out.
    """
    exclude = check_texts("exclude", exclude)
    for name in exclude:
        if name not in names:
            raise ValueError(
                f"`exclude` names the column {name!r}, which {source} does not "
                f"have. {did_you_mean(name, names)}"
            )
    if inputs is None:
        left = [n for n in names if n not in {*labels, *others, *exclude}]
        inputs = [name for name in left if not _INDEX.fullmatch(name)]
        _warn_about_index([n for n in left if n not in inputs], source)
    else:
        inputs = check_texts("inputs", inputs)
    if not inputs:
        raise ValueError(
            f"`inputs` must name at least one column of {source}, found none "
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
                "out of one of them."
            )
        if list(inputs).count(name) > 1:
            raise ValueError(f"`inputs` names {name!r} twice.")
        if name not in names:
            raise ValueError(
                f"`inputs` names the column {name!r}, which {source} does not "
                f"have. {did_you_mean(name, names)}"
            )
    return list(inputs)


def _warn_about_index(names: Sequence[str], source: str) -> None:
    if names:
        way_in = "name it in `inputs`" if names[0] else "give it a name"
        warnings.warn(
            f"Column {names[0]!r} of {source} is the index that pandas writes, "
            "so it is left out of the inputs. Drop it (index_col=0 in "
            "read_csv, index=False in to_csv), or pass "
            f"exclude={list(names)!r}; if it is an input, {way_in}.",
            stacklevel=7,
        )


def read_inputs(
    table: Table,
    names: Sequence[str],
    categories: Collection[str],
    texts: Mapping[str, Collection[str]] | None = None,
) -> dict[str, np.ndarray]:
    """Reads the inputs of a table, with holes where values are missing.

    Args:
        table: The table.
        names: Names of the columns.
        categories: Names of those whose numbers are categories.
        texts: Dict from name to the known categories, for those that are
            texts in any case. Defaults to `None`: none are.

    Returns:
        Dict from name to an array of shape `(n,)`, see `Table.input`.
    """
    texts = texts or {}
    return {
        name: table.input(
            name, name in categories, name in texts, texts.get(name, ())
        )
        for name in names
    }


def check_inputs(
    table: Table, columns: Mapping[str, np.ndarray], categories: Collection[str]
) -> None:
    """Checks that inputs are numbers or categories.

    Args:
        table: The table, for the error.
        columns: Dict from name to the input.
        categories: Names of the columns that the caller declares categories.

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
        if column.too_large.any():
            raise ValueError(
                f"`inputs` must fit float32, {too_large_found(column)}"
            )
        bad = column.no_number
        if bad.any() and bad.sum() * 2 < (~column.missing).sum():
            row = int(np.argmax(bad))
            value = str(column.values[row])
            raise ValueError(
                "`inputs` must hold numbers where most values are, found "
                f"{value!r} in {column.where(row)}. If it stands for a missing "
                f"value, pass missing_values=({value!r},); if the column holds "
                f"categories, pass categories=[{name!r}]."
            )
        if not texts:
            continue
        distinct, there = len(column.distinct), int((~column.missing).sum())
        if distinct > max(FEW_TEXTS, there / 2):
            raise ValueError(
                f"`inputs` names {name!r}, whose texts differ in most rows "
                f"({distinct} in {there}, such as {column.distinct[0]!r}), so "
                "that nothing is learned from them. Leave the column out by "
                f"exclude=[{name!r}], or declare them categories: "
                f"categories=[{name!r}]."
            )


def check_same_kinds(table: Table, encoding, names: Sequence[str]) -> None:
    """Checks that inputs are numbers where those of `like` are.

    Args:
        table: The table.
        encoding: `TableEncoding` of the data that were read before.
        names: Names of the inputs.

    Raises:
        ValueError: If a cell is not a number, or not an integer where `like`
            has categories of integers. The error names its line.
    """
    safe = safe_names(encoding.inputs)
    features = encoding.feature_space.features
    for name in names:
        column = table.column(name, "inputs")
        dtype = features[safe[name]].dtype
        if dtype == "string" or column.values.dtype.kind == "b":
            continue
        if column.too_large.any():
            raise ValueError(
                f"`inputs` must fit float32, {too_large_found(column)}"
            )
        what, bad = "numbers", column.no_number
        if not bad.any() and dtype.startswith("int"):
            numbers = column.numbers
            what = "integers"
            bad = ~column.missing & (numbers != np.rint(numbers))
        if bad.any():
            row = int(np.argmax(bad))
            value = str(column.values[row])
            raise ValueError(
                f"`inputs` must be {what} where those of `like` are, found "
                f"{value!r} in {column.where(row)}. If it stands for a missing "
                f"value, pass missing_values=({value!r},)."
            )


def _check_disguise(column: Column) -> None:
    found = describe_disguise(column)
    if found is not None:
        what, way_out = found
        raise ValueError(
            f"`inputs` must be numbers or categories, found {what}. {way_out}, "
            f"leave the column out by exclude=[{column.name!r}], or declare "
            f"these categories: categories=[{column.name!r}]."
        )
