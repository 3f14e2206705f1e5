"""Lists of tokens as the sentences that models of text take."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from mtl_keras.datasets.encode_tags import count_tokens


def join_tokens(sentences: Sequence[Sequence[str]]) -> np.ndarray:
    """Joins the tokens of sentences by blanks.

    Args:
        sentences: Sequence of sequences of tokens.

    Returns:
        Array of shape `(n,)` of strings, for `fit` and `predict` of a model on
        sentences. Its tokens are the same.

    Raises:
        TypeError: If a sentence is a string, or a token is none.
        ValueError: If a sentence has no token, or a token is empty or holds
            blanks, so that it would not stay one.

    Example:

    >>> mtl_keras.datasets.join_tokens([["play", "some", "jazz"]]).tolist()
    ['play some jazz']
    """
    joined = np.empty(len(sentences), object)
    for row, tokens in enumerate(sentences):
        if isinstance(tokens, str):
            raise TypeError(
                f"Row {row} is the string {tokens!r}; expected a list of "
                "tokens. Strings go into a model as they are."
            )
        if not len(tokens):
            raise ValueError(f"Row {row} is empty; expected a token at least.")
        for step, token in enumerate(tokens):
            if not isinstance(token, str):
                raise TypeError(
                    f"Row {row} has the token {token!r}; expected strings."
                )
            if count_tokens(token) != 1:
                raise ValueError(
                    f"Row {row} has the token {token!r} at place {step}; "
                    "expected one without blanks, because sentences are split "
                    "at blanks. Write '_' for them, or leave the token and its "
                    "tags out."
                )
        joined[row] = " ".join(tokens)
    return joined
