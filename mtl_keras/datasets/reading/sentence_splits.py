"""Makes the `Splits` of sentences from one file, or from a file per part."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence

import numpy as np

from mtl_keras.datasets.join_tokens import join_tokens
from mtl_keras.datasets.reading.partition import partition
from mtl_keras.datasets.reading.ragged_rows import RaggedRows
from mtl_keras.datasets.reading.sentence_source import SentenceSource
from mtl_keras.datasets.splits import Splits, make_splits
from mtl_keras.spelling import did_you_mean
from mtl_keras.tasks import Task

PARTS = ("train", "validation", "test")
# Shares of a single file.
_SHARES = {"validation": 0.1, "test": 0.2}


def files_by_part(
    path: str | os.PathLike | Mapping[str, str | os.PathLike],
) -> dict[str, str | os.PathLike]:
    """Returns the file of each part.

    Args:
        path: A path, or a dict of paths by part.

    Returns:
        Dict from part to path, `"train"` first.

    Raises:
        ValueError: If a part does not exist, or `"train"` is missing.
    """
    if not isinstance(path, Mapping):
        return {"train": path}
    for part in path:
        if part not in PARTS:
            raise ValueError(
                f"`path` names the part {part!r}. {did_you_mean(part, PARTS)}"
            )
    if "train" not in path:
        raise ValueError(
            f"`path` names the parts {list(path)}; expected 'train' among them."
        )
    return {part: path[part] for part in PARTS if part in path}


def split_sentences(
    counts: Mapping[str, int],
    *,
    validation: float | None,
    test: float | None,
    seed: int,
    source: str,
    groups: np.ndarray | None = None,
) -> dict[str, np.ndarray]:
    """Assigns sentences, numbered across all files, to parts.

    Args:
        counts: Dict from part to the number of sentences in its file.
        validation: Fraction of the first file to use for validation, or
            `None` for the default.
        test: Fraction of the first file to use for the test, or `None`.
        seed: Integer, seed of the random split.
        source: Name of the first file, for errors.
        groups: See `partition`. Defaults to `None`.

    Returns:
        Dict from part to indices.

    Raises:
        ValueError: If a part has both a fraction and a file, or a fraction
            does not fit.
    """
    shares = {"validation": validation, "test": test}
    for part, share in shares.items():
        if share is None:
            shares[part] = _SHARES[part] if len(counts) == 1 else 0
        elif share and part in counts:
            raise ValueError(
                f"`{part}={share!r}` holds out sentences, but `path` has a "
                f"file for '{part}'. Leave one of the two out."
            )
    parts = partition(
        counts["train"], **shares, seed=seed, source=source, groups=groups
    )
    first = counts["train"]
    for part, count in counts.items():
        if part != "train":
            parts[part] = np.arange(first, first + count)
            first += count
    return {part: parts[part] for part in PARTS if part in parts}


def make_sentence_splits(
    tokens: Sequence[Sequence[str]],
    targets: Sequence[tuple[Task, np.ndarray | RaggedRows]],
    parts: Mapping[str, np.ndarray],
    *,
    batch_size: int,
    seed: int,
) -> Splits:
    """Makes the `Splits` of sentences.

    Args:
        tokens: The tokens of each sentence.
        targets: The tasks and their targets.
        parts: Dict from part to indices, from `split_sentences`.
        batch_size: Integer, sentences per batch.
        seed: Integer, seed of the order of the training part.

    Returns:
        The `Splits`.
    """
    source = SentenceSource(
        join_tokens(tokens),
        {task.name: values for task, values in targets},
        np.array(list(map(len, tokens))),
    )
    tasks = tuple(task for task, _ in targets)
    return make_splits(source, tasks, parts, batch_size=batch_size, seed=seed)
