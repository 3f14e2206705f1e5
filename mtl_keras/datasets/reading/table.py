"""Tables: columns by name, and the places of their cells."""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Callable, Collection, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from mtl_keras.columns.column_values import is_missing, is_text
from mtl_keras.columns.plain_column import plain_column
from mtl_keras.datasets.reading.categories import read_categories
from mtl_keras.datasets.reading.column import Column, parse_number
from mtl_keras.spelling import did_you_mean


@dataclasses.dataclass(frozen=True, eq=False)
class Table:
    """The columns of a csv file or a DataFrame.

    Args:
        frame: A `pandas.DataFrame` of texts and numbers.
        source: String, the holder of the table, such as `"'patients.csv'"`.
        place: Function from a row, counted from 0, to its place and holder,
            such as `("line 7", "'patients.csv'")`.
        missing_values: Tuple of texts that stand for a missing value; the
            empty one always does. Numbers are compared as numbers.
        decimal: String between the whole part of a number and its decimals.
        thousands: String between groups of three digits, or `None`.
        file: Path of the file, or `None`.
        columns_read: Dict of the columns that were read; not an argument.
    """

    frame: Any
    source: str
    place: Callable[[int], tuple[str, str]]
    missing_values: tuple[str, ...] = ()
    decimal: str = "."
    thousands: str | None = None
    file: Path | None = None
    columns_read: dict[str, Column] = dataclasses.field(
        default_factory=dict, init=False, repr=False
    )

    def __len__(self):
        return len(self.frame)

    @property
    def names(self) -> list[str]:
        """Names of the columns, in the order of the table."""
        return list(self.frame.columns)

    def column(self, name: str, argument: str) -> Column:
        """Finds a column by its name.

        Args:
            name: String, name of the column.
            argument: String, the argument that asks for it, for the error.

        Returns:
            The `Column`: texts without blanks around them, or numbers.

        Raises:
            ValueError: If the table does not have it.
        """
        self.check_name(name, argument)
        if name not in self.columns_read:
            self.columns_read[name] = self._column(name)
        return self.columns_read[name]

    def _column(self, name: str) -> Column:
        if str(self.frame[name].dtype) == "str":
            return self._text_column(name, self.frame[name])
        values = plain_column(name, self.frame[name])
        if values.dtype.kind in "OSU" and is_text(values):
            return self._text_column(name, values)
        missing = is_missing(values)
        if values.dtype.kind == "f":
            missing = np.isnan(values)  # infinity is another error
        if values.dtype.kind == "O":
            # Integers beside holes, or nothing but holes.
            texts = np.array(
                [
                    "" if m else str(v)
                    for v, m in zip(values, missing, strict=True)
                ],
                object,
            )
            return self._text_column(name, texts)
        marks = [parse_number(text) for text in self.missing_values]
        for mark in marks:
            missing |= values == mark
        return Column(
            name,
            values,
            missing,
            self._where(name),
            is_category=self.is_category(name),
        )

    def is_category(self, name: str) -> bool:
        """Returns whether a column has the dtype `category` of pandas.

        Args:
            name: String, name of the column.
        """
        return str(self.frame[name].dtype) == "category"

    def check_name(self, name: str, argument: str) -> None:
        """Raises a `ValueError` if the table does not have a column.

        Args:
            name: String, name of the column.
            argument: String, the argument that asks for it.
        """
        if name not in self.frame.columns:
            raise ValueError(
                f"`{argument}` names the column {name!r}, which {self.source} "
                f"does not have. {did_you_mean(name, self.names)}"
            )

    def where(self, index: int, name: str) -> str:
        """Describes the place of a cell.

        Args:
            index: Integer, the row, counted from 0 without the header.
            name: String, the column.
        """
        place, source = self.place(index)
        return f"{place}, column {name!r} of {source}"

    def input(
        self,
        name: str,
        category: bool = False,
        text: bool = False,
        known: Collection[str] = (),
    ):
        """Reads a column as an input.

        Args:
            name: String, name of the column.
            category: Boolean, whether its values are categories, even
                integers. Defaults to `False`.
            text: Boolean, whether they are texts in any case, as in data that
                were read before. Defaults to `False`.
            known: Categories of data that were read before. Defaults to none.

        Returns:
            Of shape `(n,)`: a `pandas.Categorical` of texts; an array of
            integers of categories, `None` where one is missing; or of numbers,
            NaN where one is.
        """
        column = self.column(name, "inputs")
        values, missing = column.values, column.missing
        if text or values.dtype.kind == "b":
            return read_categories(column, known)
        if values.dtype.kind in "iu" and not missing.any():
            return values
        if category and column.is_whole and _fits_int64(column):
            if missing.any():
                return column.by_value(column.to_integer, None, object)
            return column.by_value(column.to_integer, 0, "int64")
        if category or (column.is_text and not column.is_numeric):
            return read_categories(column)
        return column.numbers

    def _where(self, name: str) -> Callable[[int], str]:
        return functools.partial(self.where, name=name)

    def _text_column(self, name: str, values) -> Column:
        import pandas  # takes half a second to load

        read = functools.partial(
            parse_number, decimal=self.decimal, thousands=self.thousands
        )
        # By distinct texts, which are few; -1 is the code of a missing one.
        codes, distinct = pandas.factorize(values)
        texts = [_text(value) for value in distinct.tolist()]
        marks = {read(text) for text in self.missing_values}
        holes = {"", *self.missing_values}
        gone = [text in holes or read(text) in marks for text in texts]
        missing = np.array([*gone, True])[codes]
        # Texts that differ only by blanks are one.
        there = dict.fromkeys(
            text for text, g in zip(texts, gone, strict=True) if not g
        )
        numbers = {text: number for number, text in enumerate(there)}
        renumbered = np.array(
            [
                -1 if g else numbers[text]
                for text, g in zip(texts, gone, strict=True)
            ]
            + [-1]
        )
        return Column(
            name,
            np.array([*texts, ""], object)[codes],
            missing,
            self._where(name),
            read_number=read,
            marks=(self.decimal, self.thousands),
            factorized=(renumbered[codes], np.array([*there], object)),
            is_category=self.is_category(name),
        )


def check_texts(argument: str, texts: Sequence[str]) -> tuple[str, ...]:
    """Checks a list of strings.

    Args:
        argument: String, the argument that holds it.
        texts: The list.

    Returns:
        The strings, as a tuple.

    Raises:
        TypeError: If it is anything else.
    """
    is_list = isinstance(texts, Sequence) and not isinstance(texts, str)
    if not is_list or not all(isinstance(text, str) for text in texts):
        raise TypeError(
            f"`{argument}` must be a list of strings, found {texts!r}."
        )
    return tuple(texts)


def _fits_int64(column: Column) -> bool:
    limits = np.iinfo("int64")
    integers = map(column.to_integer, column.distinct.tolist())
    return all(limits.min < number <= limits.max for number in integers)


def _text(value) -> str:
    if isinstance(value, bytes):
        value = value.decode()
    return str(value).strip()
