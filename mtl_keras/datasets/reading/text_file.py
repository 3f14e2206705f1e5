"""Reads text files, with errors that name the line."""

from __future__ import annotations

import codecs
import os
from pathlib import Path

from mtl_keras.datasets.files import existing_file

_UTF_16 = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)


def read_lines(
    path: str | os.PathLike, encoding: str, origin: str
) -> tuple[Path, list[str]]:
    """Reads the lines of a file, with any line endings.

    Args:
        path: String or path of the file.
        encoding: String, its encoding. A UTF-8 byte order mark is removed.
        origin: Sentence on where to get the file, for the error.

    Returns:
        The path, and the lines without their endings. An empty last line is
        dropped.

    Raises:
        FileNotFoundError: If the file does not exist.
        ValueError: If the file has another encoding.
    """
    file = existing_file(path, origin)
    data = file.read_bytes()
    try:
        is_utf_8 = codecs.lookup(encoding).name == "utf-8"
    except (LookupError, TypeError) as error:
        raise ValueError(
            f"`encoding` must name an encoding, found {encoding!r}. 'utf-8' "
            "and 'latin-1' are common ones."
        ) from error
    if is_utf_8 and data.startswith(_UTF_16):
        raise ValueError(
            f"'{file}' is in UTF-16, expected {encoding}. Pass "
            "encoding='utf-16'."
        )
    try:
        text = data.decode("utf-8-sig" if is_utf_8 else encoding)
    except UnicodeDecodeError as error:
        line = data[: error.start].count(b"\n") + 1
        raise ValueError(
            f"Line {line} of '{file}' holds bytes that are not {encoding}: "
            f"{data[error.start : error.end]!r}. Pass another encoding, such "
            "as encoding='latin-1'."
        ) from error
    if "\0" in text:
        line = text[: text.index("\0")].count("\n") + 1
        raise ValueError(
            f"Line {line} of '{file}' holds a zero byte, expected text. "
            "Check its encoding, and that it is a text file."
        )
    # `splitlines` would split at other characters, too.
    text = text.replace("\r\n", "\n")
    lines = text.split("\n" if "\n" in text else "\r")
    return file, lines if lines[-1] else lines[:-1]
