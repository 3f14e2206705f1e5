"""Column: the values of one name, for one value a sample."""

from __future__ import annotations

import dataclasses
import functools
import re
from collections.abc import Callable

import numpy as np

from mtl_keras.datasets.reading.number_text import CODE, number_text

_WHOLE = re.compile(r"[+-]?\d+")
# One class each, in any case.
BOOLEAN_WORDS = frozenset(("true", "false", "yes", "no"))
LARGEST_FLOAT32 = float(np.finfo("float32").max)


@dataclasses.dataclass(frozen=True, eq=False)
class Column:
    """The values of one name, as text or as numbers.

    Args:
        name: String, name of the column.
        values: Array of shape `(n,)`: texts (dtype object) or numbers.
        missing: Boolean array of shape `(n,)`, true where there is no value.
        where: Function from an index to the place of its value, such as
            `"line 7, column 'age' of 'table.csv'"`.
        minus_one_is_missing: Boolean, whether -1 stands for a missing label in
            a column of classes. Defaults to `False`.
        read_number: Function that makes a float of a text, NaN of one that is
            not a number. Defaults to one that reads `1.5` and `1e-3`.
        marks: Tuple of the arguments `decimal` and `thousands` of
            `read_number`. Defaults to a decimal point and `None`.
        factorized: `codes` and `distinct`, if they are known. Defaults to
            `None`.
        is_category: Boolean, whether the column is of the dtype `category` of
            pandas, so that its numbers are categories. Defaults to `False`.
        keeps_words: Boolean, whether words such as NA are values, because the
            caller names the missing values of this column. Defaults to
            `False`.
        offers: The arguments on cells that the caller's function has, such as
            `"decimal"`, for the ways out of errors. Defaults to `None`: all.
    """

    name: str
    values: np.ndarray
    missing: np.ndarray
    where: Callable[[int], str]
    minus_one_is_missing: bool = False
    read_number: Callable[[str], float] | None = None
    marks: tuple[str, str | None] = (".", None)
    factorized: tuple[np.ndarray, np.ndarray] | None = None
    is_category: bool = False
    keeps_words: bool = False
    offers: frozenset[str] | None = None

    @functools.cached_property
    def is_text(self) -> bool:
        """Returns whether the values are texts, perhaps of numbers."""
        return self.values.dtype.kind == "O"

    @functools.cached_property
    def _distinct(self) -> tuple[np.ndarray, np.ndarray]:
        """Codes of the values, -1 where one is missing, and the distinct ones.

        Columns have many rows and few distinct values.
        """
        if self.factorized is not None:
            return self.factorized
        import pandas  # takes half a second to load

        codes, distinct = pandas.factorize(self.values[~self.missing])
        everywhere = np.full(len(self.values), -1)
        everywhere[~self.missing] = codes
        return everywhere, distinct

    @property
    def codes(self) -> np.ndarray:
        """Integer array: which of `distinct` each value is, -1 for none."""
        return self._distinct[0]

    @property
    def distinct(self) -> np.ndarray:
        """Array of the distinct values, in the order of the rows."""
        return self._distinct[1]

    def by_value(self, function: Callable, missing, dtype) -> np.ndarray:
        """Applies a function to each distinct value.

        Args:
            function: Function of a value.
            missing: The result for a missing value.
            dtype: dtype of the result.

        Returns:
            Array of shape `(n,)`.
        """
        made = np.empty(len(self.distinct) + 1, dtype)
        made[:-1] = [function(value) for value in self.distinct.tolist()]
        made[-1] = missing
        return made[self.codes]

    @functools.cached_property
    def numbers(self) -> np.ndarray:
        """float64 array; NaN where a value is missing or not a number."""
        if not self.is_text:
            numbers = self.values.astype("float64", copy=False)
            if not self.missing.any():
                return numbers
            return np.where(self.missing, np.nan, numbers)
        return self.by_value(
            self.read_number or parse_number, np.nan, "float64"
        )

    @functools.cached_property
    def no_number(self) -> np.ndarray:
        """Boolean array, true for values that float32 cannot hold as numbers.

        These are texts, infinity, and numbers beyond float32.
        """
        with np.errstate(over="ignore"):
            finite = np.isfinite(self.numbers.astype("float32"))
        return ~finite & ~self.missing

    @functools.cached_property
    def too_large(self) -> np.ndarray:
        """Boolean array, true for finite numbers beyond float32."""
        return self.no_number & np.isfinite(self.numbers)

    @functools.cached_property
    def is_numeric(self) -> bool:
        """Returns whether every value is a finite number."""
        return not self.no_number.any()

    @functools.cached_property
    def has_codes(self) -> bool:
        """Returns whether a value is a code such as 01, whose text matters."""
        return self.is_text and any(map(CODE.fullmatch, self.distinct.tolist()))

    @functools.cached_property
    def is_whole(self) -> bool:
        """Returns whether every value is an integer (1.0 too), not a code."""
        if self.has_codes:
            return False
        numbers = self.numbers[~self.missing]
        return self.is_numeric and bool((numbers == np.rint(numbers)).all())

    @functools.cached_property
    def is_boolean(self) -> bool:
        """Returns whether the values are true, false, yes or no."""
        words = {str(value).lower() for value in self.distinct.tolist()}
        return bool(words) and words <= BOOLEAN_WORDS

    @functools.cached_property
    def _number_texts(self) -> dict[str, str]:
        """The one form of each text, in a column of numbers.

        Empty where a text is not a number, and where two texts are the same
        number, such as the versions 1.1 and 1.10: these are names.
        """
        if not self.is_text:
            return {}
        found = {}
        for text in self.distinct.tolist():
            found[text] = number_text(text, *self.marks)
            if found[text] is None:
                return {}
        return found if len(set(found.values())) == len(found) else {}

    @functools.cached_property
    def names(self) -> np.ndarray:
        """The values as text; integers without a decimal point.

        An array of shape `(n,)` of strings, empty where one is missing.
        Numbers have one form, 2.50 that of 2.5; other texts stay as they are,
        so that codes stay apart. True, TRUE and true are the same.
        """
        return self.by_value(self.format_value, "", object)

    def format_value(self, value) -> str:
        """Returns a value as text.

        Args:
            value: One of `distinct`.
        """
        if isinstance(value, str):
            if self.is_whole:
                return str(self.to_integer(value))
            value = self.number_name(value)
            return value.lower() if self.is_boolean else value
        return (
            self._float_name(value)
            if isinstance(value, float)
            else (str(value))
        )

    def number_name(self, text: str) -> str:
        """Returns the one form of a number in a column of numbers.

        Args:
            text: One of `distinct`, which holds texts.

        Returns:
            The form; the text itself in a column that holds other texts.
        """
        return self._number_texts.get(text, text)

    def _float_name(self, value: float) -> str:
        if self.is_whole:
            return str(int(value))
        # By its precision: the shortest text of a float32 is shorter.
        short = self.values.dtype.type(value)
        text = str(short if self.values.dtype.kind == "f" else value)
        return number_text(text) or text

    def to_integer(self, value) -> int:
        """Returns a value of a column of integers as an integer.

        Args:
            value: One of `distinct`.
        """
        if isinstance(value, str) and not _WHOLE.fullmatch(value):
            value = (self.read_number or parse_number)(value)
        return int(value)

    def without_minus_one(self) -> Column:
        """Returns the column of a class task, with -1 as a missing label."""
        if not (self.minus_one_is_missing and self.is_numeric):
            return self
        missing = self.missing | (self.numbers == -1)
        return self.with_missing(missing)

    def first_row(self, value) -> int:
        """Returns the first row that has a value.

        Args:
            value: One of `distinct`.
        """
        return int(np.argmax(~self.missing & (self.values == value)))

    def with_missing(self, missing: np.ndarray) -> Column:
        """Returns the column with other values missing.

        Args:
            missing: Boolean array of shape `(n,)`.
        """
        return dataclasses.replace(self, missing=missing, factorized=None)


def too_large_found(column: Column) -> str:
    """Describes a number beyond float32 and the ways out.

    Args:
        column: A column with such a number.
    """
    row = int(np.argmax(column.too_large))
    value = str(column.values[row])
    return (
        f"found {value} in {column.where(row)}, which is beyond the largest "
        f"float32 ({LARGEST_FLOAT32:.2g}). If it stands for a missing value, "
        f"pass missing_values=({value!r},); otherwise clip it, or scale the "
        "column (another unit, or a logarithm)."
    )


def finite_numbers(column: Column) -> np.ndarray:
    """Reads a column whose values must all be finite numbers.

    Args:
        column: The column.

    Returns:
        float32 array of shape `(n,)`.

    Raises:
        ValueError: If a value is missing or not a finite number.
    """
    bad = column.missing | column.no_number
    if bad.any():
        row = int(np.argmax(bad))
        raise ValueError(
            f"`path` must hold finite numbers, found {column.values[row]!r} in "
            f"{column.where(row)}. Mend or drop the line."
        )
    return column.numbers.astype("float32")


def parse_number(
    text: str, decimal: str = ".", thousands: str | None = None
) -> float:
    """Reads a number.

    Args:
        text: String.
        decimal: String between the whole part and the decimals. Defaults to
            `"."`.
        thousands: String between groups of three digits, or `None`.

    Returns:
        A float, NaN for a text that is not a number.
    """
    if thousands and thousands in text:
        mark = re.escape(thousands)
        groups = rf"[+-]?\d{{1,3}}({mark}\d{{3}})+({re.escape(decimal)}\d*)?"
        if not re.fullmatch(groups, text):
            return float("nan")
        text = text.replace(thousands, "")
    if decimal != ".":
        if "." in text:
            return float("nan")
        text = text.replace(decimal, ".")
    try:
        # Python's 1_000 is not a number in a table.
        return float("nan") if "_" in text else float(text)
    except ValueError:
        return float("nan")
