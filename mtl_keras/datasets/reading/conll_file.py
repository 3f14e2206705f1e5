"""Reads files with a token per line and an empty line after each sentence."""

from __future__ import annotations

import dataclasses
import os
import re
import sys
from collections.abc import Mapping
from pathlib import Path

from mtl_keras.datasets.encode_tags import count_tokens
from mtl_keras.datasets.reading.text_file import read_lines

_BLANKS = " \t\v\f"
_DOCUMENT = "-DOCSTART-"
_NEW_DOCUMENT = re.compile(r"#\s*(newdoc|begin document)\b")
# CoNLL-U describes a sentence by `# name = value`.
_METADATA = re.compile(r"#\s*\S+ = ")
# Rows of CoNLL-U for multiword tokens (1-2) and empty nodes (1.1).
_NON_WORD = re.compile(r"\d+[-.]\d+")


@dataclasses.dataclass(frozen=True, eq=False)
class ConllFile:
    """Sentences of a CoNLL file.

    Args:
        file: Path of the file.
        cells: The columns of each token of each sentence.
        lines: The line number of each token of each sentence.
        documents: The document of each sentence, counted from 0.
        width: Number of columns.
    """

    file: Path
    cells: list[list[list[str]]]
    lines: list[list[int]]
    documents: list[int]
    width: int

    def column(self, number: int) -> list[list[str]]:
        """Returns a column.

        Args:
            number: Integer, index of the column.

        Returns:
            The cells of each sentence.
        """
        return [[row[number] for row in rows] for rows in self.cells]


def read_conll_file(
    path: str | os.PathLike, delimiter: str | None, encoding: str
) -> ConllFile:
    """Reads a file with a token per line.

    Args:
        path: String or path of the file.
        delimiter: String between two columns, or `None` for spaces and tabs.
        encoding: String, encoding of the file.

    Returns:
        The sentences, without comments and lines that begin a document.

    Raises:
        FileNotFoundError: If the file does not exist.
        ValueError: If it has no sentences, or lines with different numbers of
            columns.
    """
    if delimiter is not None and not (isinstance(delimiter, str) and delimiter):
        raise ValueError(
            "`delimiter` must be a string between two columns, or None for "
            f"spaces and tabs; found {delimiter!r}."
        )
    file, lines = read_lines(path, encoding, "Pass the path of a CoNLL file.")
    rows = [_cells(line, delimiter) for line in lines]
    first = _first_token(lines, rows)
    width = 0 if first is None else len(rows[first])
    commented = _all_commented(lines, rows)
    found = ConllFile(file, [], [], [], width)
    document, inside = 0, False
    for number, (line, cells) in enumerate(zip(lines, rows, strict=True)):
        leads = commented and not (number and rows[number - 1])
        begins = bool(cells) and cells[0] == _DOCUMENT
        if not cells or begins:
            inside = False
        elif not inside and _is_comment(line, cells, width, leads):
            begins = bool(_NEW_DOCUMENT.match(line))
        elif len(cells) != width:
            raise ValueError(
                f"Line {number + 1} of '{file}' has {_count(len(cells))}, "
                f"{line.strip()[:80]!r}, but line {first + 1} has {width}; "
                "expected the same number in each line."
                f"{_advice(line, delimiter)}"
            )
        else:
            if not inside:
                found.cells.append([])
                found.lines.append([])
                found.documents.append(document)
            found.cells[-1].append(cells)
            found.lines[-1].append(number + 1)
            inside = True
        if begins and found.cells:
            document = found.documents[-1] + 1
    if not found.cells:
        raise ValueError(
            f"'{file}' holds no sentence; expected a token and its tags on "
            "each line, and an empty line after each sentence."
        )
    return found


def _cells(line: str, delimiter: str | None) -> list[str]:
    """Returns the cells of a line, or an empty list for an empty line."""
    line = line.strip(_BLANKS) if delimiter is None else line
    if not line.strip(_BLANKS):
        return []
    if delimiter is None:
        cells = re.split(r"[ \t]+", line)
    else:
        cells = [cell.strip(_BLANKS) for cell in line.split(delimiter)]
    # Tags and most tokens repeat: keep one string of each.
    return list(map(sys.intern, cells))


def _first_token(lines: list[str], rows: list[list[str]]) -> int | None:
    """Returns the first line that is a token for sure, or else may be one."""
    tokens = [
        number
        for number, cells in enumerate(rows)
        if cells
        and cells[0] != _DOCUMENT
        and not _METADATA.match(lines[number])
    ]
    sure = (number for number in tokens if lines[number][0] != "#")
    return next(sure, next(iter(tokens), None))


def _all_commented(lines: list[str], rows: list[list[str]]) -> bool:
    """Returns whether every sentence begins with `#`, as no token does."""
    begins = [
        line.startswith("#")
        for before, line, cells in zip([[], *rows], lines, rows, strict=False)
        if cells and not before
    ]
    return len(begins) > 2 and all(begins)


def _is_comment(line: str, cells, width: int, leads: bool) -> bool:
    """Returns whether a line is a comment, and not the token `#`."""
    if not line.startswith("#"):
        return False
    return leads or len(cells) != width or bool(_METADATA.match(line))


def _advice(line: str, delimiter: str | None) -> str:
    if delimiter is None and "\t" in line:
        return " If cells contain spaces or are empty, pass delimiter='\\t'."
    if line.startswith("#"):
        return " Comments must precede the first token of a sentence."
    return ""


def _count(columns: int) -> str:
    return f"{columns} column{'s' * (columns != 1)}"


def read_tokens(found: ConllFile, column: int) -> list[list[str]]:
    """Returns the tokens of all sentences.

    Args:
        found: The file.
        column: Integer, index of the token column.

    Returns:
        The tokens of each sentence.

    Raises:
        ValueError: If one is empty, or contains whitespace.
    """
    tokens = found.column(column)
    for sentence, line in zip(tokens, found.lines, strict=True):
        for token, number in zip(sentence, line, strict=True):
            if count_tokens(token) != 1:
                raise ValueError(
                    f"Line {number} of '{found.file}' has the token {token!r}, "
                    "expected one without whitespace, because sentences are "
                    "split at whitespace. Replace it by '_', or remove the "
                    "line."
                )
    return tokens


def drop_header(found: ConllFile, names: Mapping[int, str]) -> ConllFile:
    """Removes the first line if it names the columns.

    Args:
        found: The file.
        names: Dict from the indices of some columns to their names.

    Returns:
        The file.
    """
    first = found.cells[0][0]
    if any(first[i].lower() != name.lower() for i, name in names.items()):
        return found
    cells, lines, documents = found.cells, found.lines, found.documents
    rest = cells[0][1:], lines[0][1:], documents[0]
    kept = [rest] if rest[0] else []
    kept += zip(cells[1:], lines[1:], documents[1:], strict=True)
    if not kept:
        raise ValueError(f"'{found.file}' holds column names but no sentence.")
    cells, lines, documents = map(list, zip(*kept, strict=True))
    return dataclasses.replace(
        found, cells=cells, lines=lines, documents=documents
    )


def drop_non_words(found: ConllFile) -> ConllFile:
    """Removes the multiword tokens and empty nodes of CoNLL-U.

    Args:
        found: A file whose first column numbers the tokens.

    Returns:
        The file without rows such as `1-2` (multiword token) and `1.1` (empty
        node).
    """
    cells, lines, documents = [], [], []
    for rows, numbers, document in zip(
        found.cells, found.lines, found.documents, strict=True
    ):
        kept = [
            i for i, row in enumerate(rows) if not _NON_WORD.fullmatch(row[0])
        ]
        if kept:
            cells.append([rows[i] for i in kept])
            lines.append([numbers[i] for i in kept])
            documents.append(document)
    return dataclasses.replace(
        found, cells=cells, lines=lines, documents=documents
    )
