"""Dates and times of a table, as seconds."""

from __future__ import annotations

import numpy as np

from mtl_keras.datasets.reading.table import Table


def read_seconds(table: Table, name: str) -> np.ndarray:
    """Reads a column of dates or times.

    Args:
        table: The table.
        name: String, name of the column.

    Returns:
        float64 array of shape `(n,)`: seconds since the first of January 1970
        (of times alone, since midnight), NaN where one is missing.

    Raises:
        ValueError: If a value is no date, or could be two.
    """
    import pandas  # takes half a second to load

    table.check_name(name, "parse_dates")
    values = table.frame[name]
    if values.dtype.kind != "M":
        column = table.column(name, "parse_dates")
        texts = [str(value) for value in column.distinct.tolist()]
        times = pandas.to_timedelta(texts, errors="coerce")
        if len(texts) and not times.isna().any():
            seconds = times.total_seconds().to_numpy()
        else:
            seconds = _seconds(pandas, texts, column)
        return np.array([*seconds, np.nan])[column.codes]
    if values.dt.tz is not None:
        values = values.dt.tz_convert("UTC").dt.tz_localize(None)
    epoch = pandas.Timestamp(0)
    return ((values - epoch) / pandas.Timedelta(seconds=1)).to_numpy("float64")


def _seconds(pandas, texts, column) -> np.ndarray:
    try:
        dates = pandas.to_datetime(texts, errors="raise", utc=True)
    except (ValueError, TypeError) as error:
        bad = pandas.to_datetime(texts, errors="coerce", utc=True).isna()
        text = texts[int(np.argmax(bad))] if bad.any() else texts[0]
        row = int(np.argmax(column.values == text))
        raise ValueError(
            f"`parse_dates` must name dates of one form, found {text!r} in "
            f"{column.where(row)}. Write them as 2021-12-31 or 2021-12-31 "
            "23:59."
        ) from error
    epoch = pandas.Timestamp(0, tz="UTC")
    return ((dates - epoch) / pandas.Timedelta(seconds=1)).to_numpy("float64")
