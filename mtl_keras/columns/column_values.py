"""Raw columns of a table: checked, and in the dtype that is encoded."""

from __future__ import annotations

import numbers
from collections.abc import Iterable

import numpy as np

from mtl_keras.columns.plain_column import plain_column
from mtl_keras.safe_name import safe_name
from mtl_keras.spelling import did_you_mean

# A missing category: the empty text, or an integer that does not occur.
MISSING_TEXT = ""
MISSING_INTEGER = int(np.iinfo("int64").min)
# Keras's token of unknown categories; no table holds it.
UNKNOWN_TEXT = "\ufffd unknown"
UNKNOWN_INTEGER = MISSING_INTEGER + 1

# Of numpy's kinds of dtype.
_TEXTS = "OSU"
_INTEGERS = "iub"


def check_columns(columns, names: Iterable[str]) -> dict[str, np.ndarray]:
    """Selects columns of a table by name.

    Args:
        columns: Dict from name to an array of shape `(n,)` or `(n, 1)`, or a
            `pandas.DataFrame`. Other columns are ignored.
        names: The names to select, or the safe names of columns.

    Returns:
        Dict from these names to an array of shape `(n,)`.

    Raises:
        TypeError: If `columns` has no named columns.
        ValueError: If a column is missing, has another shape or another
            length than the rest, holds dates, or has no row.
    """
    if not hasattr(columns, "keys"):
        raise TypeError(
            f"columns is a {type(columns).__name__}; expected a dict from "
            "column name to array, or a pandas.DataFrame."
        )
    found, length = {}, None
    for name in names:
        values = plain_column(name, columns[_key(columns, name)])
        if values.ndim == 2 and values.shape[1] == 1:
            values = values[:, 0]
        if values.ndim != 1 or not len(values):
            raise ValueError(
                f"Column {name!r} has shape {values.shape}; expected (n,), a "
                "value for each of one or more rows."
            )
        length = len(values) if length is None else length
        if len(values) != length:
            raise ValueError(
                f"Column {name!r} has {len(values)} rows and the columns "
                f"before it {length}; expected the same length."
            )
        found[name] = values
    return found


def is_text(values) -> bool:
    """Returns whether a column holds texts.

    Args:
        values: Array of shape `(n,)`, or a `pandas.Categorical` of texts.
    """
    if hasattr(values, "categories"):
        return True
    if values.dtype.kind != "O":
        return values.dtype.kind in _TEXTS
    return any(isinstance(value, str | bytes) for value in values)


def factorize(values) -> tuple[np.ndarray, np.ndarray]:
    """Finds the distinct values of a column.

    Args:
        values: Array of shape `(n,)`, or a `pandas.Categorical` of texts.

    Returns:
        Integer array of shape `(n,)`, and the values that it indexes; a
        missing text is the empty one.
    """
    import pandas  # takes half a second to load

    if hasattr(values, "categories"):
        distinct = values.categories.tolist()
        if MISSING_TEXT not in distinct:
            # The code of a missing one, -1, is the last.
            return values.codes, np.array([*distinct, MISSING_TEXT], object)
        empty = distinct.index(MISSING_TEXT)
        codes = np.where(values.codes < 0, empty, values.codes)
        return codes, np.array(distinct, object)
    return pandas.factorize(values, use_na_sentinel=False)


def is_missing(values) -> np.ndarray:
    """Finds the missing values of a column.

    Args:
        values: Array of shape `(n,)`.

    Returns:
        Boolean array of shape `(n,)`: `None`, NaN, `pandas.NA`, infinity and
        the empty text.
    """
    if hasattr(values, "categories"):
        codes, distinct = factorize(values)
        return (distinct == MISSING_TEXT)[codes]
    if values.dtype.kind == "f":
        return ~np.isfinite(values)
    if values.dtype.kind in _INTEGERS:
        return np.zeros(len(values), bool)
    if values.dtype.kind in "SU":
        return np.char.strip(values) == np.array("", values.dtype)
    import pandas

    missing = pandas.isna(values)
    there = values[~missing]
    missing[~missing] = (there == "") | (there == b"")
    return missing


def as_dtype(name: str, values: np.ndarray, dtype: str) -> np.ndarray:
    """Converts a column to the dtype that its encoding reads.

    Args:
        name: Name of the column, for the error.
        values: Array of shape `(n,)`.
        dtype: `"string"`, a float or an integer dtype.

    Returns:
        The column: texts as dtype object, numbers with NaN where one is
        missing, integers with `MISSING_INTEGER` there.

    Raises:
        TypeError: If the values are of another kind.
    """
    if hasattr(values, "categories"):
        codes, distinct = factorize(values)
        values = distinct[codes]
    if dtype == "string":
        return _texts(name, values)
    if dtype.startswith("int"):
        return _integers(name, values, dtype)
    return _numbers(name, values).astype(dtype)


def _key(columns, name: str):
    """The key of a column: its name, or a name with this safe name."""
    if name in columns:
        return name
    for key in columns.keys():  # noqa: SIM118 - a DataFrame has no other
        if isinstance(key, str) and key.strip() and safe_name(key) == name:
            return key
    raise ValueError(
        f"Column {name!r} is missing. "
        f"{did_you_mean(name, map(str, columns.keys()))}"
    )


def _numbers(name: str, values: np.ndarray) -> np.ndarray:
    if values.dtype.kind in "OSU":
        missing = is_missing(values)
        if values.dtype.kind != "O" or is_text(values[~missing]):
            first = values[~missing][0] if not missing.all() else ""
            raise TypeError(
                f"Column {name!r} holds texts such as {str(first)!r}; expected "
                "numbers."
            )
        found = np.full(len(values), np.nan)
        try:
            found[~missing] = values[~missing].astype("float64")
        except (TypeError, ValueError):
            raise TypeError(
                f"Column {name!r} holds values such as "
                f"{values[~missing][0]!r}; expected numbers."
            ) from None
        return found
    if values.dtype.kind == "f":
        return np.where(np.isfinite(values), values, np.nan)
    return values


def _integers(name: str, values: np.ndarray, dtype: str) -> np.ndarray:
    if values.dtype.kind in _INTEGERS:
        return values.astype(dtype)
    missing = is_missing(values)
    present = values[~missing]
    whole = values.dtype.kind in "fO" and not is_text(present)
    if whole and len(present):
        whole = all(float(value).is_integer() for value in present.tolist())
    all_integers = all(isinstance(v, numbers.Integral) for v in present)
    if not whole or not (missing.any() or all_integers):
        # Without a hole, floats are a measurement and not categories.
        raise TypeError(
            f"Column {name!r} is of {values.dtype}; expected integers, the "
            "numbers of categories. Convert it with astype('int64'), or with "
            "astype(str) to texts."
        )
    codes = np.full(len(values), MISSING_INTEGER, "int64")
    codes[~missing] = [int(value) for value in present.tolist()]
    return codes


def _texts(name: str, values: np.ndarray) -> np.ndarray:
    if values.dtype.kind not in _TEXTS:
        if values.dtype.kind == "f" and np.isnan(values).all():
            return np.full(len(values), MISSING_TEXT, object)
        raise TypeError(
            f"Column {name!r} is of {values.dtype}; expected texts. Convert it "
            "with astype(str), as it was when the encoding was fitted."
        )
    texts = values.astype(object)
    # By types first: a table has many rows and few types.
    kinds = set(map(type, texts))
    if all(issubclass(kind, str | bytes) for kind in kinds):
        return texts
    missing = is_missing(texts)
    for row in np.flatnonzero(~missing):
        if not isinstance(texts[row], str | bytes):
            raise ValueError(
                f"Column {name!r}: found {texts[row]!r} in row {row}; expected "
                "texts, or None for a missing one."
            )
    return np.where(missing, MISSING_TEXT, texts)
