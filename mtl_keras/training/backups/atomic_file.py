"""Atomic writing of files."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO


def partial_path(path: Path) -> Path:
    """Returns the path of a file while it is being written.

    It is in the same folder, because renaming is atomic only within one disk.

    Args:
        path: Path of the file.
    """
    return path.with_name(f"{path.name}.partial")


def write_atomically(path: Path, write: Callable[[BinaryIO], None]) -> None:
    """Writes a file so that a kill or a full disk keeps the old file.

    Args:
        path: Path of the file. Its folder must exist.
        write: Function that writes the content to a binary file.

    Raises:
        OSError: If the file cannot be written. The old file is unchanged.
    """
    partial = partial_path(path)
    try:
        with open(partial, "wb") as file:
            write(file)
            file.flush()
            # Otherwise a crash of the machine may leave an empty file.
            os.fsync(file.fileno())
        os.replace(partial, path)
    except BaseException:
        with contextlib.suppress(OSError):
            partial.unlink(missing_ok=True)
        raise
    sync_folder(path.parent)


def write_text_atomically(path: Path, text: str) -> None:
    """Writes text in UTF-8 so that a kill or a full disk keeps the old file.

    Args:
        path: Path of the file. Its folder must exist.
        text: String, the text.

    Raises:
        OSError: If the file cannot be written. The old file is unchanged.
    """
    write_atomically(path, lambda file: file.write(text.encode()))


def remove_partial(path: Path) -> None:
    """Removes the partial file that a killed write may have left.

    Args:
        path: Path of the file, as in `write_atomically`.
    """
    partial_path(path).unlink(missing_ok=True)


def sync_folder(folder: Path) -> None:
    """Writes a folder to disk, so that new files survive a machine crash.

    Args:
        folder: The folder.
    """
    if os.name == "nt":  # Windows cannot open folders
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
