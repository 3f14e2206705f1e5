"""Column: the values of one name, for one value a sample."""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Callable

import numpy as np


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
    """

    name: str
    values: np.ndarray
    missing: np.ndarray
    where: Callable[[int], str]
    minus_one_is_missing: bool = False

    @functools.cached_property
    def numbers(self) -> np.ndarray:
        """float64 array; NaN where a value is missing or is no number."""
        if self.values.dtype.kind != "O":
            numbers = self.values.astype("float64")
            return np.where(self.missing, np.nan, numbers)
        numbers = np.full(len(self.values), np.nan)
        texts = self.values[~self.missing].tolist()
        numbers[~self.missing] = list(map(_number, texts))
        return numbers

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
    def is_whole(self) -> bool:
        """Whether every value is an integer, 1.0 among them."""
        numbers = self.numbers[~self.missing]
        return self.is_numeric and bool((numbers == np.rint(numbers)).all())

    def texts(self) -> np.ndarray:
        """Returns the values as text, integers without a decimal point.

        Returns:
            Array of shape `(n,)` of strings, empty where one is missing.
        """
        if self.is_whole:
            texts = [
                "" if gone else str(int(number))
                for number, gone in zip(self.numbers, self.missing, strict=True)
            ]
        else:
            texts = [
                "" if gone else str(value)
                for value, gone in zip(self.values, self.missing, strict=True)
            ]
        return np.array(texts, object)

    def without_minus_one(self) -> Column:
        """Returns the column of a class task, with -1 as a missing label."""
        if not (self.minus_one_is_missing and self.is_numeric):
            return self
        missing = self.missing | (self.numbers == -1)
        return dataclasses.replace(self, missing=missing)


def _number(text: str) -> float:
    try:
        # Python's 1_000 is no number in anybody's table.
        return float("nan") if "_" in text else float(text)
    except ValueError:
        return float("nan")
