"""The report of a search: a table in a terminal, or else lines."""

import io
import sys

import pytest
from rich.console import Console

from mtl_keras.tuning.objective import Objective
from mtl_keras.tuning.trial_record import FAILED, TrialRecord
from mtl_keras.tuning.trial_report import (
    TrialLines,
    TrialReport,
    TrialTable,
    make_report,
)

ACCURACY, SIZE = Objective("accuracy", "max"), Objective("size", "min")


def ended(number, *, failed=False, **objectives):
    return TrialRecord(
        number=number,
        values={},
        labels={"width": 2 * number, "rate": 0.0123456},
        objectives={} if failed else objectives,
        status=FAILED if failed else "completed",
        reason="ValueError: no such width\ndetails" if failed else "",
    )


@pytest.fixture
def console():
    return Console(file=io.StringIO(), force_terminal=True, width=100)


def rows(table, console):
    """Returns the cells of the table by row."""
    return [
        [cell.strip() for cell in row]
        for row in zip(*(c.cells for c in table.columns), strict=True)
    ]


def test_the_best_come_first_and_the_running_last(console):
    report = TrialTable([ACCURACY], 5, console)
    for number, accuracy in enumerate([0.5, 0.9, 0.7]):
        report.begin(number, {"width": 2 * number})
        report.end(ended(number, accuracy=accuracy))
    report.end(ended(3, failed=True))
    report.begin(4, {"width": 64})
    table = report.table()
    assert table.title == "4 of 5 trials, 1 failed; the best"
    found = rows(table, console)
    assert [row[0] for row in found] == ["1", "2", "0", "4"]
    assert found[0] == ["1", "0.9", "2", "0.01235"]
    assert found[3][1] == "running 0 s" and found[3][2:] == ["64", ""]


def test_of_several_objectives_it_shows_the_front(console):
    report = TrialTable([ACCURACY, SIZE], None, console)
    for number, (accuracy, size) in enumerate([(0.5, 9), (0.9, 8), (0.7, 3)]):
        report.end(ended(number, accuracy=accuracy, size=float(size)))
    table = report.table()
    assert table.title == "3 trials; the Pareto front"
    assert [row[:3] for row in rows(table, console)] == [
        ["1", "0.9", "8"],
        ["2", "0.7", "3"],
    ]


def test_before_the_first_trial_there_is_a_table_too(console):
    table = TrialTable([ACCURACY], 5, console).table()
    assert table.title == "0 of 5 trials" and rows(table, console) == []


def test_messages_and_failures_stand_above_it(console):
    with TrialTable([ACCURACY], 2, console) as report:
        report.begin(0, {"width": 1})
        report.say("a [worker] came")
        report.end_now(ended(0, failed=True))
        report.end_now(ended(1, accuracy=0.5))
    text = console.file.getvalue()
    assert "a [worker] came" in text
    assert "trial 0 failed: ValueError: no such width" in text
    assert "details" not in text
    assert "2 of 2 trials, 1 failed" in text


def test_lines_where_there_is_no_terminal(capsys, console, monkeypatch):
    report = make_report([ACCURACY], 5, 1)
    assert isinstance(report, TrialLines)
    report.begin(0, {"width": 1})
    report.end(ended(0, accuracy=0.5))  # of before: it was printed then
    report.end_now(ended(1, accuracy=0.25))
    report.end_now(ended(2, failed=True))
    first, second = capsys.readouterr().out.splitlines()
    assert first == "trial   1  accuracy=0.25  width=2  rate=0.01235"
    assert second.startswith("trial   2  failed: ValueError: no such width  ")


def test_a_terminal_gets_a_table_and_silence_nothing(monkeypatch, capsys):
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
    monkeypatch.setenv("TERM", "xterm")
    assert isinstance(make_report([ACCURACY], 5, 1), TrialTable)
    monkeypatch.setenv("TERM", "dumb")
    assert isinstance(make_report([ACCURACY], 5, 1), TrialLines)
    report = make_report([ACCURACY], 5, 0)
    assert type(report) is TrialReport
    with report:
        report.say("nothing")
        report.end_now(ended(0, accuracy=0.5))
    assert capsys.readouterr().out == ""
