"""Tags as padded numbers, and rows whose tokens and tags differ."""

import numpy as np
import pytest

from mtl_keras.datasets import encode_tags
from mtl_keras.datasets.encode_tags import count_tokens
from mtl_keras.layers import TokenIds

NAMES = ["O", "B-a", "I-a"]


def test_every_tag_is_numbered_and_the_rest_is_missing(rng):
    lengths = rng.integers(1, 9, size=20)
    sentences = [" ".join("word" for _ in range(n)) for n in lengths]
    numbers = [rng.integers(3, size=n) for n in lengths]
    tags = [" ".join(NAMES[i] for i in row) for row in numbers]
    found = encode_tags(sentences, tags, NAMES, steps=10)
    assert found.shape == (20, 10) and found.dtype == np.int32
    for row, expected in zip(found, numbers, strict=True):
        np.testing.assert_array_equal(row[: len(expected)], expected)
        assert (row[len(expected) :] == -1).all()
    assert encode_tags(sentences, tags, NAMES).shape == (20, lengths.max())


def test_tokens_are_counted_as_the_layer_splits():
    sentences = [" a\tb  c ", "a\u00a0b", "a\u2003b c", "", "x\x0by"]
    layer = TokenIds(["nothing"])
    for sentence in sentences:
        ids = layer(np.array([sentence], object))
        assert count_tokens(sentence) == ids.shape[1]


@pytest.mark.parametrize(
    ("sentences", "tags", "steps", "message"),
    [
        (["a b", "a b c"], ["O O", "O O"], None, "Row 1 has 3 tokens and 2"),
        (["a"], ["O", "O"], None, "1 sentences and 2 rows of tags"),
        (["a", "a b"], ["O", "O O"], 1, "Row 1 has 2 tokens; steps=1"),
        (["a"], ["I-b"], None, "Row 0 has the tag 'I-b'.*'I-a'"),
    ],
)
def test_what_does_not_fit(sentences, tags, steps, message):
    with pytest.raises(ValueError, match=message):
        encode_tags(sentences, tags, NAMES, steps)


def test_errors_say_where():
    with pytest.raises(ValueError, match="Row 0 of 'train' has 1 tokens"):
        encode_tags(["a"], ["O O"], NAMES, where=" of 'train'")
