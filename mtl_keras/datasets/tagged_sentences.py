"""Reads folders with a file each of sentences, tags and classes."""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Collection, Mapping
from pathlib import Path

from mtl_keras.datasets.files import existing_folder
from mtl_keras.datasets.reading.text_file import read_lines

SENTENCES, TAGS, LABELS = FILES = ("seq.in", "seq.out", "label")
# Other whitespace is part of a token.
_BLANKS = " \t\v\f"
# Usual names of the folders of each part.
_FOLDERS = {
    "train": ("train",),
    "validation": ("valid", "validation", "dev", "val"),
    "test": ("test",),
}


@dataclasses.dataclass(frozen=True, eq=False)
class TaggedSentences:
    """Sentences of a folder, with their tags and classes.

    Args:
        folder: Path of the folder.
        tokens: The tokens of each sentence.
        tags: The tags of each sentence, one per token; empty strings where
            the line of tags is empty.
        labels: The class of each sentence; an empty string if it is missing.
    """

    folder: Path
    tokens: list[list[str]]
    tags: list[list[str]]
    labels: list[str]


def find_part_folders(
    path: str | os.PathLike | Mapping[str, str | os.PathLike], origin: str
) -> str | os.PathLike | dict[str, Path]:
    """Finds the folder of each part of a data set.

    Args:
        path: The folder that contains them, a folder without parts, or a dict
            of folders by part.
        origin: Sentence on where to get the files, for the error.

    Returns:
        A path, or a dict of paths by part.

    Raises:
        FileNotFoundError: If a folder does not exist.
        ValueError: If two folders are the same part.
    """
    if isinstance(path, Mapping):
        return path
    folder = existing_folder(path, origin)
    if (folder / SENTENCES).is_file():
        return folder
    found = {}
    for part, names in _FOLDERS.items():
        there = [folder / name for name in names if (folder / name).is_dir()]
        if len(there) > 1:
            raise ValueError(
                f"`path` holds several folders of the {part} part: "
                f"{[one.name for one in there]}. Pass a dict: path={{'train': "
                "..., 'validation': ...}."
            )
        found.update((part, one) for one in there)
    if "train" not in found:
        raise FileNotFoundError(
            f"`path` must hold the folder 'train', or the files {FILES}, found "
            f"neither in '{folder}'. {origin}"
        )
    return found


def read_tagged_sentences(
    path: str | os.PathLike,
    origin: str,
    encoding: str = "utf-8",
    files: Collection[str] = FILES,
) -> TaggedSentences:
    """Reads a folder in the usual format of joint intent and slot data.

    It has three files with a line per sentence: `seq.in` with its tokens,
    `seq.out` with its tags, and `label` with its class.

    Args:
        path: String or path of the folder.
        origin: Sentence on where to get the files, for the error.
        encoding: String, encoding of the files. Defaults to `"utf-8"`.
        files: Names of the files to read. The others are missing labels.
            Defaults to all three.

    Returns:
        The sentences.

    Raises:
        FileNotFoundError: If the folder or a file does not exist.
        ValueError: If lines do not match.
    """
    folder = existing_folder(path, origin)
    lines = {}
    for name in FILES:
        if name not in files:
            continue
        file = folder / name
        if not file.is_file():
            raise FileNotFoundError(
                f"`path` must hold the file '{folder.name}/{name}', found "
                f"nothing at '{file}'. {origin}"
            )
        lines[name] = [
            line.strip(_BLANKS)
            for line in read_lines(file, encoding, origin)[1]
        ]
    _check_counts(folder, lines)
    for name in FILES:
        lines.setdefault(name, [""] * len(lines[SENTENCES]))
    # Models split at ASCII whitespace only.
    tokens = [_split(line) for line in lines[SENTENCES]]
    tags = [_split(line) for line in lines[TAGS]]
    for row, (words, names) in enumerate(zip(tokens, tags, strict=True)):
        if not words:
            raise ValueError(
                f"Line {row + 1} of '{folder / SENTENCES}' is empty; expected "
                "a sentence."
            )
        if names and len(names) != len(words):
            raise ValueError(
                f"Line {row + 1} of '{folder / TAGS}' has {len(names)} tags, "
                f"and that of '{SENTENCES}' {len(words)} tokens: "
                f"{lines[TAGS][row]!r} and {lines[SENTENCES][row]!r}; expected "
                "one tag per token."
            )
        tags[row] = names or [""] * len(words)
    return TaggedSentences(folder, tokens, tags, lines[LABELS])


def _split(line: str) -> list[str]:
    return [token.decode() for token in line.encode().split()]


def _check_counts(folder: Path, lines: dict[str, list[str]]) -> None:
    """Drops empty lines at the end of all files, and compares the counts."""
    while all(lines.values()) and not any(one[-1] for one in lines.values()):
        for one in lines.values():
            one.pop()
    counts = {name: len(one) for name, one in lines.items()}
    if len(set(counts.values())) > 1:
        raise ValueError(
            f"`path` must hold files with a line for each sentence, found "
            f"these numbers of lines in '{folder}': {counts}."
        )
    if not counts[SENTENCES]:
        raise ValueError(f"'{folder / SENTENCES}' holds no sentence.")
