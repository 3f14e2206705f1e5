"""Tests batches of sentences, on one replica and on two."""

import numpy as np
import pytest

from mtl_keras.datasets.reading.ragged_rows import RaggedRows
from mtl_keras.datasets.reading.sentence_source import SentenceSource


@pytest.fixture
def source(rng):
    lengths = rng.integers(1, 12, size=30)
    tags = [rng.integers(-1, 4, size=n).tolist() for n in lengths]
    sentences = [
        " ".join(f"{row}.{tag}" for tag in tags[row]) for row in range(30)
    ]
    return SentenceSource(
        np.array(sentences, object),
        {"tags": RaggedRows.pack(tags), "row": np.arange(30, dtype="int32")},
        lengths,
    )


def check(x, y):
    """Sentences say which row and tags are theirs."""
    for sentence, tags, row in zip(x, y["tags"], y["row"], strict=True):
        text = sentence if isinstance(sentence, str) else sentence.decode()
        found = [one.split(".") for one in text.split()]
        assert {int(one[0]) for one in found} == {row}
        assert tags[: len(found)].tolist() == [int(one[1]) for one in found]
        assert (tags[len(found) :] == -1).all()


def test_arrays_are_padded_to_the_longest_sentence(source):
    indices = np.array([3, 17, 4])
    x, y = source.arrays(indices)
    check(x, y)
    assert y["row"].tolist() == [3, 17, 4]
    assert y["tags"].shape == (3, source.lengths.max())
    assert y["tags"].dtype == np.int32


@pytest.mark.parametrize("seed", [None, 5])
def test_batches_are_padded_to_their_longest_sentence(source, seed):
    indices = np.arange(3, 28)
    batches = source.batches(indices, 4, seed)
    assert len(batches) == 7
    rows = []
    for x, y in batches.as_numpy_iterator():
        check(x, y)
        assert y["tags"].shape[1] == source.lengths[y["row"]].max()
        rows += y["row"].tolist()
    assert sorted(rows) == indices.tolist()
    assert (rows == indices.tolist()) == (seed is None)


def test_targets_come_in_chunks(source, monkeypatch):
    monkeypatch.setattr("mtl_keras.datasets.reading.sentence_source._CHUNK", 8)
    chunks = list(source.targets(np.arange(30)))
    assert [len(one["row"]) for one in chunks] == [8, 8, 8, 6]
    for number, chunk in enumerate(chunks):
        x = source.sentences[8 * number : 8 * number + 8]
        check(x, chunk)
