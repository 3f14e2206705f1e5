"""Tests sentences of joined tokens."""

import numpy as np
import pytest

from mtl_keras.datasets import join_tokens
from mtl_keras.layers import TokenIds


def test_the_layer_restores_the_tokens():
    tokens = [["a", "b\u00a0c", "\u2003"], ["x"], ["\u0085", "d", "e", "f"]]
    sentences = join_tokens(tokens)
    assert sentences.shape == (3,) and sentences.dtype == object
    words = sorted({token for row in tokens for token in row})
    ids = np.asarray(TokenIds(words, lowercase=False)(sentences))
    found = [[words[i - 2] for i in row if i] for row in ids]
    assert found == tokens


@pytest.mark.parametrize(
    ("sentences", "error", "message"),
    [
        (["a b"], TypeError, "Row 0 is the string 'a b'"),
        ([["a"], []], ValueError, "Row 1 is empty"),
        ([["a", "New York"]], ValueError, "'New York' at index 1.*whitespace"),
        ([["a", ""]], ValueError, "token '' at index 1"),
        ([["a", 3]], TypeError, "token 3; expected strings"),
    ],
)
def test_invalid_tokens(sentences, error, message):
    with pytest.raises(error, match=message):
        join_tokens(sentences)
