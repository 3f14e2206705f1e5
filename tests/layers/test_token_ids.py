"""Tokenization, against a Python dictionary."""

import itertools

import keras
import numpy as np
import pytest
import tensorflow as tf

from mtl_keras.layers import TokenIds
from mtl_keras.layers.token_ids import BUCKETS, count_words

WORDS = ["play", "some", "jazz", "clásicos"]
SENTENCES = [
    "play some jazz",
    "  Play\tsome   unheard-of  jazz, clásicos ",
    "",
    "jazz\u00a0clásicos play",
]


def by_hand(sentences, lowercase=True, steps=0):
    """Returns token ids, padded to the longest row."""
    rows = []
    for sentence in sentences:
        text = sentence.encode()
        text = (text.lower() if lowercase else text).split()
        numbers = {word.encode(): i for i, word in enumerate(WORDS, start=2)}
        rows.append([numbers.get(token, 1) for token in text])
    width = max(steps, *map(len, rows))
    return [row + [0] * (width - len(row)) for row in rows]


@pytest.mark.parametrize("lowercase", [True, False])
@pytest.mark.parametrize("steps", [None, 2, 9])
def test_every_token_has_an_id_and_none_is_truncated(lowercase, steps):
    layer = TokenIds(WORDS, steps=steps, lowercase=lowercase)
    ids = layer(np.array(SENTENCES, object))
    assert ids.numpy().tolist() == by_hand(SENTENCES, lowercase, steps or 0)


def test_inputs_may_have_a_second_axis():
    layer = TokenIds(WORDS)
    column = np.array(SENTENCES, object)[:, None]
    assert layer(column).numpy().tolist() == by_hand(SENTENCES)


def test_it_is_the_same_in_a_graph_and_from_its_config():
    layer = TokenIds(WORDS, steps=4, lowercase=False)
    inputs = keras.Input((), dtype="string")
    assert layer(inputs).shape == (None, None)
    again = keras.saving.deserialize_keras_object(
        keras.saving.serialize_keras_object(layer)
    )
    text = tf.constant(SENTENCES)
    for call in (tf.function(layer), again):
        np.testing.assert_array_equal(call(text), layer(text))


@pytest.mark.parametrize("length", [1, 3])
def test_beginnings_and_ends_of_tokens_have_ids(length):
    layer = TokenIds(WORDS, steps=6, affix_length=length)
    ids = layer(np.array(SENTENCES, object)).numpy()
    np.testing.assert_array_equal(ids[..., 0], by_hand(SENTENCES, steps=6))
    assert (ids[ids[..., 0] == 0] == 0).all()
    tokens = [sentence.lower().encode().split() for sentence in SENTENCES]
    for place, cut in ((1, slice(length)), (2, slice(-length, None))):
        numbers = {}
        for row, of_row in enumerate(tokens):
            for step, token in enumerate(of_row):
                affix = token.decode()[cut]
                number = ids[row, step, place]
                assert 1 <= number <= BUCKETS
                assert numbers.setdefault(affix, number) == number
        assert len(set(numbers.values())) == len(numbers)
    again = TokenIds.from_config(layer.get_config())
    np.testing.assert_array_equal(again(np.array(SENTENCES, object)), ids)


def test_no_beginning_or_end_has_the_id_of_padding():
    letters = "abcdefghijklmnopqrstuvwxyz"
    tokens = map("".join, itertools.product(letters, repeat=3))
    ids = TokenIds(WORDS, affix_length=3)(tf.constant([" ".join(tokens)]))
    assert ids.numpy()[..., 1:].min() == 1
    assert ids.numpy()[..., 1:].max() == BUCKETS


def test_words_are_sorted_by_frequency():
    assert count_words(["b a A", "a c"])[0] == "a"
    assert sorted(count_words(["b a A", "a c"])) == ["a", "b", "c"]
    assert sorted(count_words(["b a A"], lowercase=False)) == ["A", "a", "b"]
    assert count_words(np.array(["x y x"], object)) == ["x", "y"]


@pytest.mark.parametrize(
    ("vocabulary", "message"),
    [
        ([], "vocabulary is empty"),
        (["a", "b", "a"], "holds 'a' twice"),
        ("play", "of type str; expected a list"),
        (["a", 3], "holds 3 of type int"),
        (None, "of type NoneType"),
    ],
)
def test_invalid_vocabularies(vocabulary, message):
    with pytest.raises((TypeError, ValueError), match=message):
        TokenIds(vocabulary)
