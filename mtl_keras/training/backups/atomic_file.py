"""Files that are there whole or not at all."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO


def partial_path(path: Path) -> Path:
    """Path under which a file is written before it has its name.

    It lies in the same folder, because a file is renamed at once only within
    one disk.

    Args:
        path: Path of the file.
    """
    return path.with_name(f"{path.name}.partial")


def write_atomically(path: Path, write: Callable[[BinaryIO], None]) -> None:
    """Writes a file so that a kill or a full disk leaves the old one.

    Args:
        path: Path of the file. Its folder must be there.
        write: Writes the content to a binary file.

    Raises:
        OSError: If it cannot be written; the old file is then as it was.
    """
    partial = partial_path(path)
    try:
        with open(partial, "wb") as file:
            write(file)
            file.flush()
            # Without it, a crash of the machine may leave an empty file.
            os.fsync(file.fileno())
        os.replace(partial, path)
    except BaseException:
        with contextlib.suppress(OSError):
            partial.unlink(missing_ok=True)
        raise
    save_folder(path.parent)


def write_text_atomically(path: Path, text: str) -> None:
    """Writes a text, in UTF-8, as `write_atomically` does.

    Args:
        path: Path of the file. Its folder must be there.
        text: String.

    Raises:
        OSError: If it cannot be written; the old file is then as it was.
    """
    write_atomically(path, lambda file: file.write(text.encode()))


def remove_partial(path: Path) -> None:
    """Removes what a kill during an earlier write has left.

    Args:
        path: Path of the file, as it was given to `write_atomically`.
    """
    partial_path(path).unlink(missing_ok=True)


def save_folder(folder: Path) -> None:
    """Has the names of new files survive a crash of the machine.

    Args:
        folder: Folder of the files.
    """
    if os.name == "nt":  # folders cannot be opened there
        return
    number = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(number)
    finally:
        os.close(number)
