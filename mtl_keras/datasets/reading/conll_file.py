"""Files with a token a line and an empty line after each sentence."""

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
# CoNLL-U says of a sentence `# name = value`.
_SAID = re.compile(r"#\s*\S+ = ")
# Rows of CoNLL-U for several words that are written as one, or for none.
_NO_WORD = re.compile(r"\d+[-.]\d+")


@dataclasses.dataclass(frozen=True, eq=False)
class ConllFile:
    """The sentences of a file.

    Args:
        file: Path of the file.
        cells: The columns of each token of each sentence.
        lines: The number of the line of each token of each sentence.
        documents: Which document each sentence is of, counted from 0.
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
            number: Integer, which one.

        Returns:
            The cells of each sentence.
        """
        return [[row[number] for row in rows] for rows in self.cells]


def read_conll_file(
    path: str | os.PathLike, delimiter: str | None, encoding: str
) -> ConllFile:
    """Reads a file with a token a line.

    Args:
        path: String or path of the file.
        delimiter: String between two columns, or `None` for blanks and tabs.
        encoding: String, encoding of the file.

    Returns:
        The sentences. Comments and lines that begin a document are left out.

    Raises:
        FileNotFoundError: If there is no file.
        ValueError: If it has no sentences, or lines of several numbers of
            columns.
    """
    if delimiter is not None and not (isinstance(delimiter, str) and delimiter):
        raise ValueError(
            "`delimiter` must be a string between two columns, or None for "
            f"blanks and tabs; found {delimiter!r}."
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
                f"{line.strip()[:80]!r}, and line {first + 1} has {width}; "
                f"expected as many in each line.{_advice(line, delimiter)}"
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
            f"'{file}' holds no sentence; expected a token and its tags in "
            "each line, and an empty line after each sentence."
        )
    return found


def _cells(line: str, delimiter: str | None) -> list[str]:
    """The columns of a line; none of an empty one."""
    line = line.strip(_BLANKS) if delimiter is None else line
    if not line.strip(_BLANKS):
        return []
    if delimiter is None:
        cells = re.split(r"[ \t]+", line)
    else:
        cells = [cell.strip(_BLANKS) for cell in line.split(delimiter)]
    # Tags, and most tokens, come again and again: one string for all.
    return list(map(sys.intern, cells))


def _first_token(lines: list[str], rows: list[list[str]]) -> int | None:
    """The first line that is surely a token, or else the first that may be."""
    tokens = [
        number
        for number, cells in enumerate(rows)
        if cells and cells[0] != _DOCUMENT and not _SAID.match(lines[number])
    ]
    sure = (number for number in tokens if lines[number][0] != "#")
    return next(sure, next(iter(tokens), None))


def _all_commented(lines: list[str], rows: list[list[str]]) -> bool:
    """Tells whether a `#` leads every sentence, which no token does."""
    begins = [
        line.startswith("#")
        for before, line, cells in zip([[], *rows], lines, rows, strict=False)
        if cells and not before
    ]
    return len(begins) > 2 and all(begins)


def _is_comment(line: str, cells, width: int, leads: bool) -> bool:
    """Tells a comment before a sentence from the token `#`."""
    if not line.startswith("#"):
        return False
    return leads or len(cells) != width or bool(_SAID.match(line))


def _advice(line: str, delimiter: str | None) -> str:
    if delimiter is None and "\t" in line:
        return " Where a column holds blanks or nothing, pass delimiter='\\t'."
    if line.startswith("#"):
        return " Comments stand before the first token of a sentence."
    return ""


def _count(columns: int) -> str:
    return f"{columns} column{'s' * (columns != 1)}"


def tokens_of(found: ConllFile, column: int) -> list[list[str]]:
    """Reads the tokens of sentences.

    Args:
        found: The file.
        column: Integer, the column that they stand in.

    Returns:
        The tokens of each sentence.

    Raises:
        ValueError: If one is empty, or holds blanks.
    """
    tokens = found.column(column)
    for sentence, line in zip(tokens, found.lines, strict=True):
        for token, number in zip(sentence, line, strict=True):
            if count_tokens(token) != 1:
                raise ValueError(
                    f"Line {number} of '{found.file}' has the token {token!r}, "
                    "expected one without blanks, because sentences are split "
                    "at blanks. Write '_' for them, or leave the line out."
                )
    return tokens


def without_header(found: ConllFile, names: Mapping[int, str]) -> ConllFile:
    """Leaves a first line out that names the columns.

    Args:
        found: The file.
        names: Dict from the numbers of some columns to their names.

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
        raise ValueError(
            f"'{found.file}' holds names of columns and no sentence."
        )
    cells, lines, documents = map(list, zip(*kept, strict=True))
    return dataclasses.replace(
        found, cells=cells, lines=lines, documents=documents
    )


def without_ranges(found: ConllFile) -> ConllFile:
    """Removes the rows of CoNLL-U that are not words, by their numbers.

    Args:
        found: A file whose first column numbers the tokens.

    Returns:
        The file without the rows `1-2`, of several words, and `1.1`, of none.
    """
    cells, lines, documents = [], [], []
    for rows, numbers, document in zip(
        found.cells, found.lines, found.documents, strict=True
    ):
        kept = [
            i for i, row in enumerate(rows) if not _NO_WORD.fullmatch(row[0])
        ]
        if kept:
            cells.append([rows[i] for i in kept])
            lines.append([numbers[i] for i in kept])
            documents.append(document)
    return dataclasses.replace(
        found, cells=cells, lines=lines, documents=documents
    )
