"""The history of a run is a whole file at any moment."""

import csv

import pytest

from mtl_keras.zoo import run_record


def test_an_interruption_while_the_history_is_written_leaves_the_last_one(
    tmp_path, monkeypatch
):
    path = tmp_path / "history.csv"
    run_record._write_history({"loss": [2.0]}, path)

    class Interrupted:
        def writerow(self, row):
            raise KeyboardInterrupt

    monkeypatch.setattr(csv, "writer", lambda *_, **__: Interrupted())
    with pytest.raises(KeyboardInterrupt):
        run_record._write_history({"loss": [2.0, 1.0]}, path)
    assert path.read_text() == "epoch,loss\n1,2.0\n"
    assert list(tmp_path.iterdir()) == [path]
