"""Folders with a file of sentences, one of tags and one of classes."""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Mapping
from pathlib import Path

from mtl_keras.datasets.reading.text_file import read_lines

SENTENCES, TAGS, LABELS = FILES = ("seq.in", "seq.out", "label")
# Others are tokens, or of one.
_BLANKS = " \t\v\f"
# How folders of parts are called.
_FOLDERS = {
    "train": ("train",),
    "validation": ("valid", "validation", "dev", "val"),
    "test": ("test",),
}


@dataclasses.dataclass(frozen=True, eq=False)
class TaggedSentences:
    """The sentences of a folder, with their tags and classes.

    Args:
        folder: Path of the folder.
        tokens: The tokens of each sentence.
        tags: The tags of each sentence, one for each token. They are empty
            texts where the line of tags is empty.
        labels: The class of each sentence, empty where there is none.
    """

    folder: Path
    tokens: list[list[str]]
    tags: list[list[str]]
    labels: list[str]


def folder_by_part(
    path: str | os.PathLike | Mapping[str, str | os.PathLike], origin: str
) -> str | os.PathLike | dict[str, Path]:
    """Finds the folders of the parts of a data set.

    Args:
        path: The folder that holds them, a folder without parts, or a dict of
            folders by part.
        origin: String, a sentence on where to get the files, for the error.

    Returns:
        A path, or a dict of paths by part.

    Raises:
        FileNotFoundError: If there is no such folder.
        ValueError: If two folders are one part.
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
    path: str | os.PathLike, origin: str, encoding: str = "utf-8"
) -> TaggedSentences:
    """Reads a folder as joint intent and slot data comes.

    It has three files with a line for each sentence: `seq.in` with its tokens,
    `seq.out` with its tags, and `label` with its class.

    Args:
        path: String or path of the folder.
        origin: String, a sentence on where to get the files, for the error.
        encoding: String, encoding of the files. Defaults to `"utf-8"`.

    Returns:
        The sentences.

    Raises:
        FileNotFoundError: If there is no such folder or file.
        ValueError: If lines do not fit each other.
    """
    folder = existing_folder(path, origin)
    lines = {}
    for name in FILES:
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
    # Tokens are apart by ASCII's whitespace alone, as models split them.
    tokens = [_split(line) for line in lines[SENTENCES]]
    tags = [_split(line) for line in lines[TAGS]]
    for row, (of_row, names) in enumerate(zip(tokens, tags, strict=True)):
        if not of_row:
            raise ValueError(
                f"Line {row + 1} of '{folder / SENTENCES}' is empty; expected "
                "a sentence."
            )
        if names and len(names) != len(of_row):
            raise ValueError(
                f"Line {row + 1} of '{folder / TAGS}' has {len(names)} tags, "
                f"and that of '{SENTENCES}' {len(of_row)} tokens: "
                f"{lines[TAGS][row]!r} and {lines[SENTENCES][row]!r}; expected "
                "one tag for each token."
            )
        tags[row] = names or [""] * len(of_row)
    return TaggedSentences(folder, tokens, tags, lines[LABELS])


def _split(line: str) -> list[str]:
    return [token.decode() for token in line.encode().split()]


def _check_counts(folder: Path, lines: dict[str, list[str]]) -> None:
    """Drops empty lines at the ends of all files and counts the others."""
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


def existing_folder(path: str | os.PathLike, origin: str) -> Path:
    """Finds the folder that the caller names.

    Args:
        path: String or path, `~` stands for the home folder.
        origin: String, a sentence on where to get it, for the error.

    Returns:
        The path of the folder.

    Raises:
        FileNotFoundError: If there is no folder.
    """
    folder = Path(path).expanduser()
    if not folder.is_dir():
        found = "a file" if folder.is_file() else "nothing"
        raise FileNotFoundError(
            f"`path` must name a folder, found {found} at '{folder}'. {origin}"
        )
    return folder
