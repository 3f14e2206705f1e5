"""Tests the encoding of tags, and its errors."""

import numpy as np
import pytest

from mtl_keras.datasets import encode_tags
from mtl_keras.datasets.encode_tags import count_tokens
from mtl_keras.layers import TokenIds

NAMES = ["O", "B-a", "I-a"]


def test_every_tag_is_numbered_and_the_rest_is_missing(rng):
    lengths = rng.integers(1, 9, size=20)
    sentences = [" ".join("word" for _ in range(n)) for n in lengths]
    numbers = [rng.integers(2, size=n) for n in lengths]
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
        (["a"], ["B-b"], None, "Row 0 has the tag 'B-b'.*'B-a'"),
    ],
)
def test_invalid_arguments(sentences, tags, steps, message):
    with pytest.raises(ValueError, match=message):
        encode_tags(sentences, tags, NAMES, steps)


def test_errors_name_the_place():
    with pytest.raises(ValueError, match="Row 0 of 'train' has 1 tokens"):
        encode_tags(["a"], ["O O"], NAMES, where=" of 'train'")


def test_lists_are_equivalent_to_strings():
    expected = [[0, 1, 2], [1, -1, -1]]
    tokens = [["play", "free", "jazz"], ["jazz"]]
    for tags in (
        ["O B-a I-a", "B-a"],
        [["O", "B-a", "I-a"], ("B-a",)],
        [np.array([0, 1, 2]), [1]],
    ):
        assert encode_tags(tokens, tags, NAMES).tolist() == expected
    found = encode_tags(["a b"], [[-1, 2]], NAMES)
    assert found.tolist() == [[-1, 2]]  # which may go on with what is missing


@pytest.mark.parametrize(
    ("tags", "scheme"),
    [
        ("O I-a I-a B-a", "iob1"),
        ("O B-a E-a S-a", "bioes"),
        ("O B-a L-a U-a", "bilou"),
        ("O B-a I-a B-a", "iob2"),
    ],
)
def test_every_scheme_is_converted(tags, scheme):
    found = encode_tags(["a b c d"], [tags], NAMES, scheme=scheme)
    assert found.tolist() == [[0, 1, 2, 1]]


@pytest.mark.parametrize(
    ("tags", "names", "scheme", "message"),
    [
        (
            "O I-a",
            NAMES,
            "iob2",
            "Row 0 of 't', token 1.*'I-a' after 'O'.*iob1",
        ),
        ("B-a L-a", NAMES, "iob2", "Row 0 of 't', token 1.*'L-a'.*bilou"),
        ("B-a O", NAMES, "bilou", "token 1.*leaves the span"),
        ("B-a O", [*NAMES, "L-a"], "bilou", "class_names holds 'L-a'.*IOB2"),
        ("B-a O", [*NAMES, "x"], "iob2", "class_names: found the tag 'x'.*pl"),
        ("O I-a", ["O", "I-a"], "iob1", "tag 'B-a', which is not among class"),
        ([0, 3], NAMES, "iob2", "Row 0 of 't' has the tag 3; expected.*0 to 2"),
        ([0, -2], NAMES, "iob2", "Row 0 of 't' has the tag -2"),
    ],
)
def test_tags_that_are_invalid_in_a_scheme(tags, names, scheme, message):
    with pytest.raises(ValueError, match=message):
        encode_tags(["a b"], [tags], names, scheme=scheme, where=" of 't'")


def test_plain_tags_are_kept():
    names = ["O", "I-a", "x"]
    found = encode_tags(["a b"], ["x I-a"], names, scheme="plain")
    assert found.tolist() == [[2, 1]]
