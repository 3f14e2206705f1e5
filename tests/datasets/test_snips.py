"""Tests SNIPS: sentences, intents and tags match, and invalid files."""

import functools

import numpy as np
import pytest
from sentence_files import ROWS, write_sentences

from mtl_keras.datasets import snips


@pytest.fixture
def write(tmp_path):
    return functools.partial(write_sentences, tmp_path)


def tags_of(row):
    return [snips.TAGS[number] for number in row if number >= 0]


def test_parts_and_samples_match(write):
    parts = dict(zip(ROWS, snips.load_splits(write()), strict=True))
    for part, (x, y) in parts.items():
        assert y["slots"].shape == (len(ROWS[part]), 5)
        assert y["slots"].dtype == y["intent"].dtype == np.int32
        rows = zip(x, y["slots"], y["intent"], ROWS[part], strict=True)
        for sentence, tags, intent, row in rows:
            assert sentence.split() == row[0].split()
            assert tags_of(tags) == row[1].split()
            assert snips.INTENTS[intent] == row[2]


def test_load_data_drops_the_validation_part(write):
    train, _, test = snips.load_splits(write())
    for found, expected in zip(
        snips.load_data(write()), (train, test), strict=True
    ):
        np.testing.assert_array_equal(found[0], expected[0])
        np.testing.assert_array_equal(found[1]["slots"], expected[1]["slots"])


def test_tasks_fit_the_targets(write):
    (_, y), _ = snips.load_data(write())
    assert [task.name for task in snips.tasks()] == list(y)
    intent, slots = snips.tasks()
    assert (intent.num_classes, slots.num_classes) == (7, 72)
    assert slots.primary_metric == "decoded_span_f1"
    assert len(set(snips.TAGS)) == 72 and snips.TAGS[0] == "O"


@pytest.mark.parametrize(
    ("row", "message"),
    [
        (("a b", "O", "RateBook"), r"Line 1 of '.*valid/seq.out' has 1 tags"),
        (("a", "B-gender", "RateBook"), "'B-gender'.*mean 'B-genre'"),
        (("a", "O", "RateBok"), "label 'RateBok'.*mean 'RateBook'"),
        ((" ", "", "RateBook"), r"Line 1 of '.*valid/seq.in' is empty"),
        (("a", "I-genre", "RateBook"), r"'I-genre' first.*'iob1'"),
    ],
)
def test_invalid_rows(write, row, message):
    with pytest.raises(ValueError, match=message):
        snips.load_data(write(valid=[row]))


def test_files_of_different_lengths(write):
    path = write()
    (path / "test" / "label").write_text("RateBook\nRateBook\n")
    with pytest.raises(ValueError, match=r"'seq.in': 1.*'label': 2"):
        snips.load_data(path)


def test_a_missing_folder_or_file_is_named(write, tmp_path):
    with pytest.raises(FileNotFoundError, match=r"nothing at.*nowhere.*Get"):
        snips.load_data(tmp_path / "nowhere")
    path = write()
    with pytest.raises(FileNotFoundError, match="found a file"):
        snips.load_data(path / "test" / "label")
    (path / "test" / "seq.out").unlink()
    with pytest.raises(FileNotFoundError, match=r"'test/seq\.out'"):
        snips.load_data(path)


def test_real_snips(shared_data):
    parts = snips.load_splits(shared_data("snips"))
    assert [len(x) for x, _ in parts] == [13_084, 700, 700]
    for x, y in parts:
        assert y["slots"].shape == (len(x), 35)
        lengths = [len(sentence.split()) for sentence in x]
        np.testing.assert_array_equal((y["slots"] >= 0).sum(axis=1), lengths)
    x, y = parts[2]
    assert x[0] == "add sabrina salerno to the grime instrumentals playlist"
    assert snips.INTENTS[y["intent"][0]] == "AddToPlaylist"
    assert tags_of(y["slots"][0])[1:3] == ["B-artist", "I-artist"]
    used = np.unique(np.concatenate([y["slots"].ravel() for _, y in parts]))
    np.testing.assert_array_equal(used, np.arange(-1, 72))
