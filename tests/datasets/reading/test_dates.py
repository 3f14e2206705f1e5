"""Dates and times as seconds."""

import numpy as np
import pandas as pd
import pytest

from mtl_keras.datasets.reading.dates import read_seconds
from mtl_keras.datasets.reading.table import Table


def seconds(cells, **arguments):
    frame = pd.DataFrame({"seen": cells})
    table = Table(frame, "a test", lambda row: (f"row {row}", "a test"))
    return read_seconds(table, "seen", **arguments)[0]


def since_epoch(*texts):
    return np.array(
        [pd.Timestamp(text, tz="UTC").timestamp() for text in texts]
    )


@pytest.mark.parametrize(
    ("cells", "expected"),
    [
        (
            ["2021-01-31", "2021-02-01 12:30"],
            ["2021-01-31", "2021-02-01 12:30"],
        ),
        (["2021-01-31T12:30:05Z"], ["2021-01-31 12:30:05"]),
        (["2021-01-31T12:00+02:00"], ["2021-01-31 10:00"]),
        (["31.01.2021", "01.02.2021"], ["2021-01-31", "2021-02-01"]),
        (["01.02.2021"], ["2021-02-01"]),
        (["31/01/2021", "1/2/2021 06:00"], ["2021-01-31", "2021-02-01 06:00"]),
        (["01/31/2021", "02/01/2021"], ["2021-01-31", "2021-02-01"]),
        (["5 Jan 2021", "March 6, 2021"], ["2021-01-05", "2021-03-06"]),
        (pd.to_datetime(["2021-01-31 01:00"]), ["2021-01-31 01:00"]),
        (
            pd.to_datetime(["2021-01-31 01:00"]).tz_localize("Europe/Rome"),
            ["2021-01-31 00:00"],
        ),
    ],
)
def test_dates(cells, expected):
    np.testing.assert_array_equal(seconds(cells), since_epoch(*expected))


def test_times_count_from_midnight():
    found = seconds(["0:00", "12:30", "23:59:59.5", ""])
    np.testing.assert_array_equal(found, [0, 45000, 86399.5, np.nan])


def test_halves_of_a_day():
    found = seconds(["12:30 am", "9:30 am", "12:00 PM", "10:15pm"])
    np.testing.assert_array_equal(found, [1800, 34200, 43200, 80100])


def test_holes_are_holes():
    found = seconds(["2021-01-31", None, "", "2021-01-31"])
    np.testing.assert_array_equal(np.isnan(found), [False, True, True, False])
    found = seconds(pd.to_datetime(["2021-01-31", None]))
    np.testing.assert_array_equal(np.isnan(found), [False, True])


@pytest.mark.parametrize(
    ("cells", "message"),
    [
        (
            ["01/02/2021", "03/04/2021"],
            "'01/02/2021' in row 0.*be either",
        ),
        (["2021-01-31", "soon"], "'soon' in row 1"),
        (["13/13/2021"], "'13/13/2021' in row 0"),
        (["01/02/21", "13/02/21"], "'01/02/21' in row 0"),
        (["01/02/2021", "2021-03-04"], "'01/02/2021' in row 0"),
        (["12:30", "2021-01-01"], "'12:30' in row 0"),
        (["now", "today"], "'now' in row 0"),
        (["25:10"], "'25:10' in row 0"),
        (["07:65"], "'07:65' in row 0"),
        (["13:10 pm"], "'13:10 pm' in row 0"),
    ],
)
def test_what_is_no_date(cells, message):
    with pytest.raises(ValueError, match=message):
        seconds(cells)


@pytest.mark.parametrize(
    "texts", [["1500-01-01", "2021-02-03"], ["0001-01-01", "9999-12-31 23:59"]]
)
@pytest.mark.parametrize("as_dates", [False, True])
def test_dates_beyond_nanoseconds_are_read(texts, as_dates):
    cells = pd.to_datetime(texts, format="mixed") if as_dates else texts
    epoch = np.datetime64("1970-01-01")
    expected = [
        (np.datetime64(text) - epoch) / np.timedelta64(1, "s") for text in texts
    ]
    np.testing.assert_array_equal(seconds(cells), expected)


@pytest.mark.parametrize("text", ["1500-02-30", "2021-13-01"])
def test_dates_that_do_not_exist_are_named(text):
    with pytest.raises(ValueError, match="'seen'") as error:
        seconds(["2021-01-31", text])
    for part in (repr(text), "row 1", "does not exist", "missing_values="):
        assert part in str(error.value)


def test_missing_dates_of_pandas_are_missing():
    cells = pd.to_datetime(["2021-01-31", None, "1500-01-01"], format="mixed")
    found = seconds(cells)
    np.testing.assert_array_equal(np.isnan(found), [False, True, False])
