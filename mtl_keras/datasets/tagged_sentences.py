"""Folders of sentences with a class and a tag for each token."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from mtl_keras.datasets.encode_tags import count_tokens, encode_tags
from mtl_keras.datasets.samples import Samples
from mtl_keras.spelling import did_you_mean

PARTS = ("train", "valid", "test")
_FILES = ("seq.in", "seq.out", "label")


def read_tagged_sentences(
    path: str | os.PathLike,
    classes: Sequence[str],
    tags: Sequence[str],
    names: tuple[str, str],
    origin: str,
) -> dict[str, Samples]:
    """Reads a folder as joint intent and slot data comes.

    Each of the folders `train`, `valid` and `test` has three files with a line
    for each sentence: `seq.in` with its tokens, `seq.out` with its tags, and
    `label` with its class.

    Args:
        path: String or path of the folder.
        classes: Sequence of the class names of sentences.
        tags: Sequence of the class names of tokens.
        names: Names of the task on sentences and of that on tokens.
        origin: String, a sentence on where to get the files, for the error.

    Returns:
        Dict from part to samples: x is an array of strings; y has the classes
        of shape `(n,)` and the tags of shape `(n, steps)`, padded with -1. The
        longest sentence of all parts gives the steps.

    Raises:
        FileNotFoundError: If there is no such folder or file.
        ValueError: If lines do not fit each other, or name an unknown class or
            tag.
    """
    folder = _existing_folder(path, origin)
    lines = {part: _read_part(folder / part, origin) for part in PARTS}
    steps = max(
        count_tokens(line)
        for sentences, _, _ in lines.values()
        for line in sentences
    )
    return {
        part: _encode(part, steps, *of_part, classes, tags, names)
        for part, of_part in lines.items()
    }


def _encode(part, steps, sentences, rows, labels, classes, tags, names):
    where = f" of '{part}'"
    encoded = encode_tags(sentences, rows, tags, steps, where=where)
    numbers = {name: number for number, name in enumerate(classes)}
    for row, label in enumerate(labels):
        if label not in numbers:
            raise ValueError(
                f"Row {row}{where} has the label {label!r}, which is no class. "
                f"{did_you_mean(label, numbers)}"
            )
    y = np.array([numbers[label] for label in labels], "int32")
    return np.array(sentences, object), dict(
        zip(names, (y, encoded), strict=True)
    )


def _read_part(folder: Path, origin: str) -> list[list[str]]:
    columns = []
    for name in _FILES:
        file = folder / name
        if not file.is_file():
            raise FileNotFoundError(
                f"`path` must hold the file '{folder.name}/{name}', found "
                f"nothing at '{file}'. {origin}"
            )
        # Not splitlines, which parts at more than ends of lines.
        lines = file.read_text(encoding="utf-8").rstrip("\n").split("\n")
        columns.append([line.strip() for line in lines])
    counts = dict(zip(_FILES, map(len, columns), strict=True))
    if len(set(counts.values())) > 1:
        raise ValueError(
            f"`path` must hold files with a line for each sentence, found "
            f"these numbers of lines in '{folder}': {counts}."
        )
    for row, sentence in enumerate(columns[0]):
        if not sentence:
            raise ValueError(
                f"Row {row} of '{folder.name}' is empty; expected a sentence."
            )
    return columns


def _existing_folder(path: str | os.PathLike, origin: str) -> Path:
    folder = Path(path).expanduser()
    if not folder.is_dir():
        found = "a file" if folder.is_file() else "nothing"
        raise FileNotFoundError(
            f"`path` must name a folder, found {found} at '{folder}'. {origin}"
        )
    return folder
