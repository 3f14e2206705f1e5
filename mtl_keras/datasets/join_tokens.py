"""Joins lists of tokens to sentences, the input of text models."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from mtl_keras.datasets.encode_tags import count_tokens


def join_tokens(sentences: Sequence[Sequence[str]]) -> np.ndarray:
    """Joins the tokens of sentences with spaces.

    Args:
        sentences: Sequence of sequences of tokens.

    Returns:
        Array of strings of shape `(n,)`, for `fit` and `predict` of a text
        model, which splits it into the same tokens.

    Raises:
        TypeError: If a sentence is a string, or a token is not a string.
        ValueError: If a sentence has no tokens, or a token is empty or
            contains whitespace, where it would be split.

    Example:

    >>> mtl_keras.datasets.join_tokens([["play", "some", "jazz"]]).tolist()
    ['play some jazz']
    """
    joined = np.empty(len(sentences), object)
    for row, tokens in enumerate(sentences):
        if isinstance(tokens, str):
            raise TypeError(
                f"Row {row} is the string {tokens!r}; expected a list of "
                "tokens. A model takes strings as they are."
            )
        if not len(tokens):
            raise ValueError(
                f"Row {row} is empty; expected at least one token."
            )
        for step, token in enumerate(tokens):
            if not isinstance(token, str):
                raise TypeError(
                    f"Row {row} has the token {token!r}; expected strings."
                )
            if count_tokens(token) != 1:
                raise ValueError(
                    f"Row {row} has the token {token!r} at index {step}; "
                    "expected one without whitespace, because sentences are "
                    "split at whitespace. Replace it by '_', or remove the "
                    "token and its tags."
                )
        joined[row] = " ".join(tokens)
    return joined
