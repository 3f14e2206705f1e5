"""Encodes the tags of tokens as one padded array."""

from __future__ import annotations

from collections.abc import Sequence
from numbers import Integral

import numpy as np

from mtl_keras.datasets.span_tags import are_spans
from mtl_keras.datasets.tag_schemes import (
    PLAIN,
    InvalidTag,
    check_scheme,
    convert,
    suggest_scheme,
)
from mtl_keras.spelling import did_you_mean

MISSING = -1
# Stands for the tag -1.
_NO_TAG = ""


def encode_tags(
    sentences: Sequence[str] | Sequence[Sequence[str]],
    tags: Sequence[str] | Sequence[Sequence[str]] | Sequence[Sequence[int]],
    class_names: Sequence[str],
    steps: int | None = None,
    *,
    scheme: str = "iob2",
    where: str = "",
) -> np.ndarray:
    """Encodes the tags of tokens as integers, padded with -1.

    Args:
        sentences: Sequence of strings, tokens separated by whitespace, or of
            sequences of tokens.
        tags: Sequence with a row for each sentence: a string of tags separated
            by whitespace, or a sequence of tags or of their indices in
            `class_names`, where -1 is a missing label. One tag per token.
        class_names: Sequence of strings, the tag of class 0 first. Tags of
            spans are in the IOB2 scheme: `O`, `B-<type>`, `I-<type>`.
        steps: Integer, number of columns. Defaults to `None`: the length of
            the longest sentence.
        scheme: String, the tagging scheme of spans, from which tags are
            converted to IOB2, see `to_iob2`; or `"plain"`, which keeps tags as
            they are. Defaults to `"iob2"`, in which each span begins with
            `B-`.
        where: Text that follows the number of a row in errors. Defaults to
            `""`.

    Returns:
        int32 array of shape `(n, steps)`, targets of a `SequenceTagging` with
        these class names.

    Raises:
        ValueError: If the numbers of tokens and tags of a sentence differ, it
            is longer than `steps`, or a tag is unknown or invalid in the
            scheme.

    Example:

    >>> mtl_keras.datasets.encode_tags(
    ...     ["play jazz", "play some jazz"],
    ...     ["O B-genre", "O O B-genre"],
    ...     ["O", "B-genre", "I-genre"],
    ... ).tolist()
    [[0, 1, -1], [0, 0, 1]]
    >>> mtl_keras.datasets.encode_tags(
    ...     [["play", "free", "jazz"]],
    ...     [["O", "I-genre", "I-genre"]],
    ...     ["O", "B-genre", "I-genre"],
    ...     scheme="iob1",
    ... ).tolist()
    [[0, 1, 2]]
    """
    if len(sentences) != len(tags):
        raise ValueError(
            f"Found {len(sentences)} sentences and {len(tags)} rows of tags"
            f"{where}; expected the same number."
        )
    lengths = list(map(count_tokens, sentences))
    rows = [
        _read_row(row, class_names, f"Row {number}{where}")
        for number, row in enumerate(tags)
    ]
    for row, (length, names) in enumerate(zip(lengths, rows, strict=True)):
        if length != len(names):
            raise ValueError(
                f"Row {row}{where} has {length} tokens and {len(names)} tags: "
                f"{sentences[row]!r} and {tags[row]!r}; expected one tag "
                "per token."
            )
    longest = max(lengths, default=0)
    if steps is not None and longest > steps:
        raise ValueError(
            f"Row {lengths.index(longest)}{where} has {longest} tokens; "
            f"steps={steps} is too small. Use {longest}, or cut the sentence."
        )
    rows = _convert(rows, class_names, check_scheme("scheme", scheme), where)
    numbers = {name: number for number, name in enumerate(class_names)}
    numbers.setdefault(_NO_TAG, MISSING)
    encoded = np.full((len(rows), steps or longest), MISSING, "int32")
    for row, names in enumerate(rows):
        for step, name in enumerate(names):
            if name not in numbers:
                raise ValueError(
                    f"Row {row}{where} has the tag {name!r}, which is not "
                    f"among class_names. {did_you_mean(name, class_names)}"
                )
            encoded[row, step] = numbers[name]
    return encoded


def _read_row(row, class_names, where: str) -> list[str]:
    """Returns the names of the tags of a sentence."""
    if isinstance(row, str):
        return row.split()
    names = []
    for tag in row:
        if isinstance(tag, Integral):
            if not MISSING <= tag < len(class_names):
                raise ValueError(
                    f"{where} has the tag {tag}; expected an index of "
                    f"class_names, from 0 to {len(class_names) - 1}, or -1 for "
                    "a missing label."
                )
            tag = _NO_TAG if tag == MISSING else class_names[tag]
        names.append(str(tag))
    return names


def _convert(rows, class_names, scheme: str, where: str) -> list[list[str]]:
    try:
        spans = scheme != PLAIN and are_spans(class_names)
    except ValueError as error:
        raise ValueError(
            f"class_names: {error}. scheme='plain' keeps tags as they are."
        ) from None
    if not spans:
        return rows
    for name in class_names:
        if name[:2] not in ("O", "B-", "I-"):
            raise ValueError(
                f"class_names holds {name!r}; expected the IOB2 scheme, 'O', "
                "'B-<type>' and 'I-<type>', to which tags of another scheme "
                "are converted (for example, scheme='bilou')."
            )
    converted = []
    for number, row in enumerate(rows):
        found = convert(row, scheme, (_NO_TAG,))
        if isinstance(found, InvalidTag):
            raise ValueError(
                f"Row {number}{where}, token {found.step}: {found.text}. "
                f"{suggest_scheme(rows, scheme, missing=(_NO_TAG,))}"
            )
        converted.append(found)
    return converted


def count_tokens(sentence: str | Sequence[str]) -> int:
    """Counts the tokens of a sentence as `TokenIds` does.

    Args:
        sentence: A string, or a sequence of tokens.

    Returns:
        The number of tokens. Only ASCII whitespace separates tokens; a
        no-break space does not.

    Example:

    >>> count_tokens(" play  50\\u00a0songs")
    2
    """
    if isinstance(sentence, str):
        sentence = sentence.encode()
    return len(sentence.split() if isinstance(sentence, bytes) else sentence)
