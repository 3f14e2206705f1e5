"""Columns of pandas and numpy as plain arrays."""

from __future__ import annotations

import numbers

import numpy as np


def plain_column(name: str, values) -> np.ndarray:
    """Converts a column of pandas or numpy to an array of numpy.

    Args:
        name: Name of the column, for the error.
        values: The column.

    Returns:
        Array of numbers, texts or objects; `None` or NaN where a value is
        missing. A `pandas.Categorical` of texts is returned as it is.

    Raises:
        ValueError: If it holds dates, durations or anything else.
    """
    dtype = str(getattr(values, "dtype", ""))
    if dtype.lower() in (
        "int8",
        "int16",
        "int32",
        "int64",
        "boolean",
    ) and hasattr(values, "isna"):
        holes = values.isna()
        if not holes.any():
            # Booleans stay booleans, as those of numpy do.
            return values.to_numpy(bool if dtype == "boolean" else "int64")
        return values.astype(object).where(~holes, None).to_numpy()
    if dtype in ("Float32", "Float64"):
        return values.to_numpy("float64", na_value=np.nan)
    if dtype == "category":
        values = getattr(values, "array", values)
        if all(isinstance(value, str) for value in values.categories):
            return values
        missing = values.codes < 0
        values = np.asarray(values.categories)[values.codes]
        if missing.any():
            values = np.where(missing, None, values.astype(object))
        return plain_column(name, values)
    if hasattr(values, "to_numpy") and dtype in ("str", "string"):
        values = values.astype(object).to_numpy()
    if isinstance(values, list | tuple) and any(
        isinstance(value, str | bytes) for value in values
    ):
        # numpy would make a text of a missing value.
        values = np.array(values, object)
    values = np.asarray(values)
    if values.dtype.kind in "mM" or dtype.startswith("datetime"):
        raise ValueError(
            f"Column {name!r} holds dates or durations ({dtype}); expected "
            "numbers or texts. Convert it to a number, such as seconds, "
            ".dt.hour or .dt.dayofyear; from_csv and from_dataframe do so with "
            f"parse_dates=[{name!r}]."
        )
    if values.dtype.kind == "O":
        _check_objects(name, values.ravel())
    if values.dtype.kind not in "OSUbiuf":
        raise ValueError(
            f"Column {name!r} is of {values.dtype}; expected numbers or texts."
        )
    return values


def _check_objects(name: str, values: np.ndarray) -> None:
    """Raises a `ValueError` for objects that are neither texts nor numbers."""
    import pandas  # takes half a second to load

    for kind in set(map(type, values)):
        if issubclass(kind, str | bytes | numbers.Number | np.bool_):
            continue
        row, value = next(
            (row, value)
            for row, value in enumerate(values)
            if type(value) is kind
        )
        if np.ndim(value) == 0 and pandas.isna(value):
            continue
        raise ValueError(
            f"Column {name!r}: found {value!r} of type {kind.__name__} in row "
            f"{row}; expected numbers or texts. Split lists into columns, and "
            "read dates as seconds (parse_dates of from_csv and "
            "from_dataframe)."
        )


def find_categorical_columns(columns) -> list[str]:
    """Lists the columns of the dtype `category` of pandas.

    Args:
        columns: Dict from name to a column, or a `pandas.DataFrame`.
    """
    return [
        name
        for name in columns.keys()  # noqa: SIM118 - a DataFrame has no other
        if str(getattr(columns[name], "dtype", "")) == "category"
    ]
