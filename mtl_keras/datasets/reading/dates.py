"""Dates and times of a table, as seconds."""

from __future__ import annotations

import datetime
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


# What the dates of a column are, so that another file is read in the same way.
DATE, TIME, DAY_FIRST, MONTH_FIRST = "date", "time", "day_first", "month_first"


def read_seconds(
    table: Table,
    name: str,
    day_first: bool | None = None,
    before: str | None = None,
) -> tuple[np.ndarray, str]:
    """Reads a column of dates or times.

    Args:
        table: The table.
        name: String, name of the column.
        day_first: Boolean, whether 3/4/2020 is in April. Defaults to `None`:
            the dates of the column show it, or those that were read before.
        before: String, the form of the dates that were read before. Defaults
            to `None`: none were.

    Returns:
        float64 array of shape `(n,)`: seconds since 1970-01-01 in UTC, or
        since midnight for times without a date, or of a duration; NaN where
        one is missing. And the form: `"date"`, `"day_first"` and
        `"month_first"` for dates, or `"time"`.

    Raises:
        ValueError: If a value is not a date, could be several, or is of
            another form than before.
    """
    import pandas  # takes half a second to load

    table.check_name(name, "parse_dates")
    values = _without_objects(pandas, table.frame[name])
    if values.dtype.kind in "mM":
        form = DATE if values.dtype.kind == "M" else TIME
        _check_form(form, before, f"the column {name!r} of {table.source}")
        if form == DATE:
            dates = pandas.DatetimeIndex(pandas.to_datetime(values, utc=True))
        else:
            dates = pandas.TimedeltaIndex(values)
        return _in_seconds(pandas, dates), form
    column = table.column(name, "parse_dates")
    texts = [str(value) for value in column.distinct.tolist()]
    if not texts:
        return column.numbers, before or DATE
    if all(map(_TIME.fullmatch, texts)):
        form, seconds = TIME, [_parse_time(text, column) for text in texts]
    else:
        form, texts = _with_year_first(texts, column, day_first, before)
        seconds = _parse_dates(pandas, texts, column, form)
    _check_form(
        form, before, column.where(column.first_row(column.distinct[0]))
    )
    return np.array([*seconds, np.nan])[column.codes], form


def _without_objects(pandas, values):
    """Converts dates, times and periods of Python and pandas."""
    dtype = str(values.dtype)
    if dtype.startswith("period"):
        return values.dt.to_timestamp()
    if dtype.startswith(("date", "timestamp", "duration")) and (
        dtype.endswith("[pyarrow]")
    ):
        values = values.astype(object)
    if values.dtype.kind != "O" or isinstance(
        values.dtype, pandas.StringDtype | pandas.CategoricalDtype
    ):
        return values
    there = values.dropna().tolist()
    if there and all(isinstance(value, datetime.time) for value in there):
        return pandas.to_timedelta(
            values.map(lambda v: None if pandas.isna(v) else v.isoformat())
        )
    if there and all(isinstance(v, datetime.timedelta) for v in there):
        return pandas.to_timedelta(values)
    if there and all(isinstance(value, datetime.date) for value in there):
        return pandas.to_datetime(values, utc=True)
    return values


def _check_form(form: str, before: str | None, where: str) -> None:
    """Raises a `ValueError` for dates where times were, or the reverse."""
    if before is not None and (form == TIME) != (before == TIME):
        kinds = {True: "times or durations", False: "dates"}
        raise ValueError(
            f"`parse_dates`: found {kinds[form == TIME]} in {where}, where the "
            f"data of `like` have {kinds[before == TIME]}. Write them in the "
            "same form."
        )


def _in_seconds(pandas, times) -> np.ndarray:
    # By its own unit: nanoseconds reach from 1677 to 2262 only.
    per_second = pandas.Timedelta(1, "s") / pandas.Timedelta(1, times.unit)
    seconds = times.asi8 / per_second
    seconds[times.isna()] = np.nan
    return seconds


def _parse_time(text: str, column) -> float:
    hours, minutes, seconds, half = _TIME.fullmatch(text).groups()
    hours = int(hours)
    if hours > 23 or (half and not 1 <= hours <= 12):
        _refuse(column, text, "which is not one")
    if half:
        hours = hours % 12 + 12 * (half.strip().lower() == "pm")
    return 3600.0 * hours + 60 * int(minutes) + float(seconds or 0)


def _parse_dates(pandas, texts: list[str], column, form: str) -> np.ndarray:
    for text, written in zip(column.distinct.tolist(), texts, strict=True):
        if not _CLEAR.fullmatch(written):
            _refuse(column, text, "which is not one, or could be several")
    dates = pandas.to_datetime(texts, errors="coerce", utc=True, format="mixed")
    if dates.isna().any():
        text = column.distinct[int(np.argmax(dates.isna()))]
        order = {
            DAY_FIRST: " with the day before the month (`day_first`)",
            MONTH_FIRST: " with the month before the day (`day_first`)",
        }.get(form, "")
        _refuse(
            column, text, f"which does not exist{order}, or is out of range"
        )
    return _in_seconds(pandas, pandas.DatetimeIndex(dates))


def _with_year_first(
    texts: list[str], column, day_first: bool | None, before: str | None
) -> tuple[str, list[str]]:
    """Finds the form of dates, and rewrites those of digits."""
    found = [_DIGITS.fullmatch(text) for text in texts]
    if not all(found):
        # Without digits only, or without dates of digits.
        return before if before in (DAY_FIRST, MONTH_FIRST) else DATE, texts
    first, second = ([int(match[n]) for match in found] for n in (1, 2))
    if day_first is None and before in (DAY_FIRST, MONTH_FIRST):
        day_first = before == DAY_FIRST
    if day_first is None:
        day_first = max(first) > 12 or all("." in text[:3] for text in texts)
        if max(first) <= 12 and max(second) <= 12 and not day_first:
            _refuse(
                column,
                column.distinct[0],
                "whose day and month could be either: pass day_first=True or "
                "day_first=False",
            )
    day, month = (1, 2) if day_first else (2, 1)
    texts = [f"{m[3]}-{m[month]}-{m[day]}{m[4] or ''}" for m in found]
    return DAY_FIRST if day_first else MONTH_FIRST, texts


def _refuse(column, text, why: str) -> None:
    row = int(np.argmax(column.values == text))
    raise ValueError(
        f"`parse_dates` must name dates or times, found {str(text)!r} in "
        f"{column.where(row)}, {why}. Write dates as 2021-12-31 or 2021-12-31 "
        "23:59, with years from 1 to 9999; a date that stands for a missing "
        f"one goes into missing_values=({str(text)!r},)."
    )
