"""Dates and times as seconds."""

import datetime

import numpy as np
import pandas as pd
import pytest

from mtl_keras import datasets
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


def form(cells, **arguments):
    frame = pd.DataFrame({"seen": cells})
    table = Table(frame, "a test", lambda row: (f"row {row}", "a test"))
    return read_seconds(table, "seen", **arguments)[1]


def test_the_form_of_dates():
    assert form(["31/12/2020"]) == "day_first"
    assert form(["12/31/2020"]) == "month_first"
    assert form(["3.4.2020"]) == "day_first"
    assert form(["2020-12-31"]) == form(pd.to_datetime(["2020"])) == "date"
    assert form(["10:30"]) == form(pd.to_timedelta([1], "s")) == "time"


@pytest.mark.parametrize("order", ["day_first", "month_first"])
def test_the_order_of_day_and_month_comes_from_before(order):
    day_first = order == "day_first"
    expected = since_epoch("2020-04-03" if day_first else "2020-03-04")
    for arguments in ({"day_first": day_first}, {"before": order}):
        found = seconds(["3/4/2020"], **arguments)
        np.testing.assert_array_equal(found, expected)
    # The caller comes before what was read before.
    other = "month_first" if day_first else "day_first"
    found = seconds(["3/4/2020"], day_first=day_first, before=other)
    np.testing.assert_array_equal(found, expected)
    with pytest.raises(ValueError, match=r"pass day_first=True or"):
        seconds(["3/4/2020"], before="date")
    late = ["3/15/2020", "15/3/2020"][not day_first]
    with pytest.raises(ValueError, match=r"does not exist with .*day_first"):
        seconds(["3/4/2020", late], before=order)


def test_times_and_dates_are_not_taken_for_each_other():
    with pytest.raises(ValueError, match="found times or durations in row 0"):
        seconds(["10:30"], before="date")
    with pytest.raises(ValueError, match=r"found dates in row 0.*have times"):
        seconds(["2020-01-31"], before="time")
    with pytest.raises(ValueError, match="found dates in the column 'seen'"):
        seconds(pd.to_datetime(["2020-01-31"]), before="time")
    np.testing.assert_array_equal(seconds(["", None], before="time"), np.nan)


@pytest.mark.parametrize(
    ("cells", "expected"),
    [
        (pd.to_timedelta(["1 day", None, "90 s"]), [86400, np.nan, 90]),
        ([datetime.timedelta(hours=1), None], [3600, np.nan]),
        ([datetime.date(1970, 1, 2), None], [86400, np.nan]),
        ([datetime.datetime(1970, 1, 1, 0, 1), pd.NaT], [60, np.nan]),
        ([datetime.time(0, 1, 1), None], [61, np.nan]),
        (pd.period_range("1970-01-02", periods=2), [86400, 172800]),
    ],
)
def test_dates_and_times_of_python_and_pandas(cells, expected):
    np.testing.assert_array_equal(seconds(cells), expected)


def test_like_reads_dates_by_the_order_of_the_encoding(tmp_path):
    def write(name, dates):
        lines = [f"{date},{n % 2}" for n, date in enumerate(dates)]
        (tmp_path / name).write_text("\n".join(["seen,y", *lines]))
        return tmp_path / name

    dates = [f"{1 + n % 12}/{1 + n % 28}/2020" for n in range(60)]
    data = datasets.from_csv(
        write("a.csv", dates), ["y"], parse_dates=["seen"], numbers="float"
    )
    data.encoding.save(tmp_path / "saved")
    loaded = datasets.TableEncoding.load(tmp_path / "saved")
    new = write("b.csv", ["3/4/2020", "3/5/2020"])
    whole = {"validation": 0, "test": 0}
    for like in (data, loaded):
        x, _ = datasets.from_csv(new, like=like, **whole).arrays()
        expected = since_epoch("2020-03-04", "2020-03-05")
        np.testing.assert_allclose(x[:, 0], expected.astype("float32"))
    x, _ = datasets.from_csv(new, like=data, day_first=True, **whole).arrays()
    expected = since_epoch("2020-04-03", "2020-05-03")
    np.testing.assert_allclose(x[:, 0], expected.astype("float32"))
    with pytest.raises(
        ValueError, match=r"'15/6/2020' in line 3.*month before"
    ):
        path = write("c.csv", ["3/4/2020", "15/6/2020"])
        datasets.from_csv(path, like=data, **whole)
    with pytest.raises(TypeError, match="`day_first` must be True, False"):
        datasets.from_csv(new, ["y"], day_first="yes")
