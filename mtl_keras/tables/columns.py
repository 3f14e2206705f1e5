"""The raw columns of a table: checked, and in the dtype that is encoded."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from mtl_keras.spelling import did_you_mean

# Of numpy's kinds of dtype.
_TEXTS = "OSU"
_INTEGERS = "iub"


def check_columns(columns, names: Iterable[str]) -> dict[str, np.ndarray]:
    """Takes columns of a table by name.

    Args:
        columns: Dict from name to an array of shape `(n,)` or `(n, 1)`, or a
            `pandas.DataFrame`. Columns that are not asked for are left alone.
        names: The names to take.

    Returns:
        Dict from name to an array of shape `(n,)`.

    Raises:
        TypeError: If `columns` has no named columns.
        ValueError: If a column is missing, has another shape or another
            length than the rest, or has no row.
    """
    if not hasattr(columns, "keys"):
        raise TypeError(
            f"columns is a {type(columns).__name__}; expected a dict from "
            "column name to array, or a pandas.DataFrame."
        )
    found, length = {}, None
    for name in names:
        if name not in columns:
            raise ValueError(
                f"Column {name!r} is missing. "
                f"{did_you_mean(name, map(str, columns.keys()))}"
            )
        values = np.asarray(columns[name])
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
                f"before it {length}; expected one length."
            )
        found[name] = values
    return found


def is_text(values: np.ndarray) -> bool:
    """Tells whether a column holds texts.

    Args:
        values: Array of shape `(n,)`.
    """
    if values.dtype.kind != "O":
        return values.dtype.kind in _TEXTS
    return any(isinstance(value, str | bytes) for value in values)


def as_dtype(name: str, values: np.ndarray, dtype: str) -> np.ndarray:
    """Brings a column into the dtype that its encoding reads.

    Args:
        name: Name of the column, for the error.
        values: Array of shape `(n,)`.
        dtype: `"string"`, `"float32"` or an integer dtype.

    Returns:
        The column: texts as dtype object.

    Raises:
        TypeError: If the values are of another kind.
        ValueError: If one is missing: `None`, NaN or infinite.
    """
    if dtype == "string":
        return _texts(name, values)
    if dtype.startswith("int"):
        if values.dtype.kind not in _INTEGERS:
            raise TypeError(
                f"Column {name!r} is of {values.dtype}; expected integers, the "
                "numbers of categories. Convert it with astype('int32')."
            )
        return values.astype(dtype)
    try:
        numbers = values.astype(dtype)
    except (TypeError, ValueError):
        raise TypeError(
            f"Column {name!r} holds texts such as {str(values[0])!r}; expected "
            "numbers."
        ) from None
    bad = ~np.isfinite(numbers)
    if bad.any():
        raise ValueError(
            f"Column {name!r}: {int(bad.sum())} of {len(bad)} numbers are "
            f"missing or not finite, the first in row {int(np.argmax(bad))}. "
            "Fill them, and say that they were missing by a column of 0 and 1."
        )
    return numbers


def _texts(name: str, values: np.ndarray) -> np.ndarray:
    if values.dtype.kind not in _TEXTS:
        raise TypeError(
            f"Column {name!r} is of {values.dtype}; expected texts. Convert it "
            "with astype(str), as it was when the encoding was fitted."
        )
    texts = values.astype(object)
    # By kinds first: a table has many rows and few kinds.
    if all(issubclass(kind, str | bytes) for kind in set(map(type, texts))):
        return texts
    row, value = next(
        (row, value)
        for row, value in enumerate(texts)
        if not isinstance(value, str | bytes)
    )
    raise ValueError(
        f"Column {name!r}: found {value!r} in row {row}; expected texts. Write "
        "a word such as 'unknown' for a missing one; it is then a category of "
        "its own."
    )
