"""Dates and times of a table, as seconds."""

from __future__ import annotations

import re

import numpy as np

from mtl_keras.datasets.reading.table import Table

_TIME = re.compile(
    r"(\d{1,2}):([0-5]\d)(?::([0-5]\d(?:\.\d+)?))?(\s*[ap]m)?", re.I
)
_DIGITS = re.compile(r"(\d{1,2})[./-](\d{1,2})[./-](\d{4})(\D.*)?")
# Dates whose day and month cannot be confused.
_CLEAR = re.compile(
    r"\d{4}[-/.]\d{1,2}[-/.]\d{1,2}([T ]+\d.*)?"
    r"|\d{1,2}[ -][a-z]{3,9}[ -]\d{4}(\s.*)?|[a-z]{3,9} \d{1,2},? \d{4}(\s.*)?",
    re.I,
)


def read_seconds(table: Table, name: str) -> np.ndarray:
    """Reads a column of dates or times.

    Args:
        table: The table.
        name: String, name of the column.

    Returns:
        float64 array of shape `(n,)`: seconds since 1970-01-01 in UTC, or
        since midnight for times without a date; NaN where one is missing.

    Raises:
        ValueError: If a value is not a date, or could be several.
    """
    import pandas  # takes half a second to load

    table.check_name(name, "parse_dates")
    values = table.frame[name]
    if values.dtype.kind == "M":
        return _since_epoch(pandas, pandas.to_datetime(values, utc=True))
    column = table.column(name, "parse_dates")
    texts = [str(value) for value in column.distinct.tolist()]
    if texts and all(map(_TIME.fullmatch, texts)):
        seconds = [_parse_time(text, column) for text in texts]
    else:
        seconds = _parse_dates(pandas, texts, column)
    return np.array([*seconds, np.nan])[column.codes]


def _since_epoch(pandas, dates) -> np.ndarray:
    # By its own unit: nanoseconds reach from 1677 to 2262 only.
    dates = pandas.DatetimeIndex(dates)
    per_second = pandas.Timedelta(1, "s") / pandas.Timedelta(1, dates.unit)
    seconds = dates.asi8 / per_second
    seconds[dates.isna()] = np.nan
    return seconds


def _parse_time(text: str, column) -> float:
    hours, minutes, seconds, half = _TIME.fullmatch(text).groups()
    hours = int(hours)
    if hours > 23 or (half and not 1 <= hours <= 12):
        _refuse(column, text, "which is not one")
    if half:
        hours = hours % 12 + 12 * (half.strip().lower() == "pm")
    return 3600.0 * hours + 60 * int(minutes) + float(seconds or 0)


def _parse_dates(pandas, texts: list[str], column) -> np.ndarray:
    texts = _with_year_first(texts, column)
    for text, written in zip(column.distinct.tolist(), texts, strict=True):
        if not _CLEAR.fullmatch(written):
            _refuse(column, text, "which is not one, or could be several")
    dates = pandas.to_datetime(texts, errors="coerce", utc=True, format="mixed")
    if dates.isna().any():
        text = column.distinct[int(np.argmax(dates.isna()))]
        _refuse(column, text, "which does not exist, or is out of range")
    return _since_epoch(pandas, dates)


def _with_year_first(texts: list[str], column) -> list[str]:
    """Rewrites dates of digits, if the place of the day is clear."""
    found = [_DIGITS.fullmatch(text) for text in texts]
    if not all(found):
        return texts
    first, second = ([int(match[n]) for match in found] for n in (1, 2))
    day_first = max(first) > 12 or all("." in text[:3] for text in texts)
    if max(first) <= 12 and max(second) <= 12 and not day_first:
        _refuse(
            column, column.distinct[0], "whose day and month could be either"
        )
    day, month = (1, 2) if day_first else (2, 1)
    return [f"{m[3]}-{m[month]}-{m[day]}{m[4] or ''}" for m in found]


def _refuse(column, text, why: str) -> None:
    row = int(np.argmax(column.values == text))
    raise ValueError(
        f"`parse_dates` must name dates or times, found {str(text)!r} in "
        f"{column.where(row)}, {why}. Write dates as 2021-12-31 or 2021-12-31 "
        "23:59, with years from 1 to 9999; a date that stands for a missing "
        f"one goes into missing_values=({str(text)!r},)."
    )
