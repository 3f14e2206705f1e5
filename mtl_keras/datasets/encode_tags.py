"""Tags of tokens as one padded array of numbers."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from mtl_keras.spelling import did_you_mean

MISSING = -1


def encode_tags(
    sentences: Sequence[str],
    tags: Sequence[str],
    class_names: Sequence[str],
    steps: int | None = None,
    *,
    where: str = "",
) -> np.ndarray:
    """Numbers the tags of tokens, and pads them with -1, the missing label.

    Args:
        sentences: Sequence of strings, tokens apart by whitespace.
        tags: Sequence of strings, tags apart by whitespace: one for each
            token.
        class_names: Sequence of strings, the tag of class 0 first.
        steps: Number of columns. Defaults to `None`: the length of the longest
            sentence.
        where: String that says in errors what the rows are of. Defaults to
            `""`.

    Returns:
        int32 array of shape `(n, steps)`, targets of a `SequenceTagging` of
        these class names.

    Raises:
        ValueError: If a sentence has other numbers of tokens and tags or is
            longer than `steps`, or a tag is unknown.

    Example:

    >>> mtl_keras.datasets.encode_tags(
    ...     ["play jazz", "play some jazz"],
    ...     ["O B-genre", "O O B-genre"],
    ...     ["O", "B-genre", "I-genre"],
    ... ).tolist()
    [[0, 1, -1], [0, 0, 1]]
    """
    if len(sentences) != len(tags):
        raise ValueError(
            f"Found {len(sentences)} sentences and {len(tags)} rows of tags"
            f"{where}; expected as many."
        )
    rows = [row.split() for row in tags]
    lengths = list(map(count_tokens, sentences))
    for row, (length, names) in enumerate(zip(lengths, rows, strict=True)):
        if length != len(names):
            raise ValueError(
                f"Row {row}{where} has {length} tokens and {len(names)} tags: "
                f"{sentences[row]!r} and {tags[row]!r}; expected one tag for "
                "each token."
            )
    longest = max(lengths, default=0)
    if steps is not None and longest > steps:
        raise ValueError(
            f"Row {lengths.index(longest)}{where} has {longest} tokens; "
            f"steps={steps} leaves no room for all. Use {longest}, or cut the "
            "sentence before."
        )
    numbers = {name: number for number, name in enumerate(class_names)}
    encoded = np.full((len(rows), steps or longest), MISSING, "int32")
    for row, names in enumerate(rows):
        for step, name in enumerate(names):
            if name not in numbers:
                raise ValueError(
                    f"Row {row}{where} has the tag {name!r}, which is not "
                    f"among class_names. {did_you_mean(name, numbers)}"
                )
            encoded[row, step] = numbers[name]
    return encoded


def count_tokens(sentence: str) -> int:
    """Counts the tokens of a sentence as `TokenIds` does.

    Args:
        sentence: A string.

    Returns:
        The number of tokens. Whitespace is ASCII's: a no-break space parts no
        tokens.

    Example:

    >>> count_tokens(" play  50\\u00a0songs")
    2
    """
    return len(sentence.encode().split())
