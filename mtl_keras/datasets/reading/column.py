"""Column: the values of one name, for one value a sample."""

from __future__ import annotations

import dataclasses
import functools
import re
from collections.abc import Callable

import numpy as np

_WHOLE = re.compile(r"[+-]?\d+")
# Codes such as 01 are names and no numbers: 1 is another one.
_CODE = re.compile(r"[+-]?0\d+")
# One class each, however they are written.
BOOLEAN_WORDS = frozenset(("true", "false", "yes", "no"))


@dataclasses.dataclass(frozen=True, eq=False)
class Column:
    """The values of one name, as text or as numbers.

    Args:
        name: String, name of the column.
        values: Array of shape `(n,)`: texts (dtype object) or numbers.
        missing: Boolean array of shape `(n,)`, true where there is no value.
        where: Function of an index that says where its value stands, such as
            `"line 7, column 'age' of 'table.csv'"`.
        minus_one_is_missing: Boolean, whether -1 stands for a missing label in
            a column of classes. Defaults to `False`.
        read_number: Function that makes a float of a text, NaN of one that is
            no number. Defaults to one that reads `1.5` and `1e-3`.
        factorized: `codes` and `distinct`, where they are known. Defaults to
            `None`.
    """

    name: str
    values: np.ndarray
    missing: np.ndarray
    where: Callable[[int], str]
    minus_one_is_missing: bool = False
    read_number: Callable[[str], float] | None = None
    factorized: tuple[np.ndarray, np.ndarray] | None = None

    @functools.cached_property
    def is_text(self) -> bool:
        """Whether the values are texts, of numbers perhaps."""
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
        """Array of the distinct values that are there, in order of the rows."""
        return self._distinct[1]

    def by_value(self, function: Callable, missing, dtype) -> np.ndarray:
        """Applies a function to each distinct value.

        Args:
            function: Function of a value.
            missing: What stands where a value is missing.
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
        """float64 array; NaN where a value is missing or is no number."""
        if not self.is_text:
            numbers = self.values.astype("float64", copy=False)
            if not self.missing.any():
                return numbers
            return np.where(self.missing, np.nan, numbers)
        return self.by_value(self.read_number or number_of, np.nan, "float64")

    @functools.cached_property
    def no_number(self) -> np.ndarray:
        """Boolean array, true where a value is there and no finite number."""
        with np.errstate(over="ignore"):
            finite = np.isfinite(self.numbers.astype("float32"))
        return ~finite & ~self.missing

    @functools.cached_property
    def is_numeric(self) -> bool:
        """Whether every value is a finite number."""
        return not self.no_number.any()

    @functools.cached_property
    def has_codes(self) -> bool:
        """Whether a value is a code, such as 01, and its text matters."""
        return self.is_text and any(
            map(_CODE.fullmatch, self.distinct.tolist())
        )

    @functools.cached_property
    def is_whole(self) -> bool:
        """Whether every value is an integer, 1.0 among them, and no code."""
        if self.has_codes:
            return False
        numbers = self.numbers[~self.missing]
        return self.is_numeric and bool((numbers == np.rint(numbers)).all())

    @functools.cached_property
    def _is_boolean(self) -> bool:
        words = {str(value).lower() for value in self.distinct.tolist()}
        return bool(words) and words <= BOOLEAN_WORDS

    @functools.cached_property
    def names(self) -> np.ndarray:
        """The values as text; integers without a decimal point.

        An array of shape `(n,)` of strings, empty where one is missing. Texts
        stay as they are, so that codes of many digits stay apart; True, TRUE
        and true are one.
        """
        return self.by_value(self.name_of, "", object)

    def name_of(self, value) -> str:
        """Returns a value as text.

        Args:
            value: One of `distinct`.
        """
        if isinstance(value, str):
            if self.is_whole:
                return str(self.integer_of(value))
            return value.lower() if self._is_boolean else value
        if isinstance(value, float) and self.is_whole:
            return str(int(value))
        return str(value)

    def integer_of(self, value) -> int:
        """Returns a value of a column of integers as one.

        Args:
            value: One of `distinct`.
        """
        if isinstance(value, str) and not _WHOLE.fullmatch(value):
            value = (self.read_number or number_of)(value)
        return int(value)

    def without_minus_one(self) -> Column:
        """Returns the column of a class task, with -1 as a missing label."""
        if not (self.minus_one_is_missing and self.is_numeric):
            return self
        missing = self.missing | (self.numbers == -1)
        return self.with_missing(missing)

    def with_missing(self, missing: np.ndarray) -> Column:
        """Returns the column with other values missing.

        Args:
            missing: Boolean array of shape `(n,)`.
        """
        return dataclasses.replace(self, missing=missing, factorized=None)


def finite_numbers(column: Column) -> np.ndarray:
    """Reads a column whose values must all be finite numbers.

    Args:
        column: The column.

    Returns:
        float32 array of shape `(n,)`.

    Raises:
        ValueError: If a value is missing or no finite number.
    """
    bad = column.missing | column.no_number
    if bad.any():
        row = int(np.argmax(bad))
        raise ValueError(
            f"`path` must hold finite numbers, found {column.values[row]!r} in "
            f"{column.where(row)}. Mend or drop the line."
        )
    return column.numbers.astype("float32")


def number_of(text: str, decimal: str = ".", thousands: str | None = None):
    """Reads a number.

    Args:
        text: String.
        decimal: String between the whole part and the decimals. Defaults to
            `"."`.
        thousands: String between groups of three digits, or `None`.

    Returns:
        A float, NaN for what is no number.
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
        # Python's 1_000 is no number in anybody's table.
        return float("nan") if "_" in text else float(text)
    except ValueError:
        return float("nan")
