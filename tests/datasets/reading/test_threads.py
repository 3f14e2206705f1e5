"""Tests calls in several threads."""

import threading

import pytest

from mtl_keras.datasets.reading.threads import map_in_threads


def test_results_keep_their_order():
    barrier = threading.Barrier(2, timeout=10)

    def wait(number):
        barrier.wait()  # passes where two run at once
        return number * 10

    assert map_in_threads(wait, list(range(4))) == [0, 10, 20, 30]


def test_the_first_error_stops_the_calls():
    called = []

    def fail(number):
        called.append(number)
        raise ValueError(f"number {number}")

    with pytest.raises(ValueError, match="number 0"):
        map_in_threads(fail, list(range(10_000)))
    assert len(called) < 10_000


def test_many_items_show_a_progress_bar(capsys):
    map_in_threads(abs, [1, 2], unit="mask", progress_bar_from=3)
    assert capsys.readouterr().out == ""
    map_in_threads(abs, [1, 2, 3], unit="mask", progress_bar_from=3)
    assert "3/3" in capsys.readouterr().out
