"""One search in a folder at a time."""

from __future__ import annotations

import contextlib
import datetime
import fcntl
import os
import socket
from collections.abc import Iterator
from pathlib import Path

FILE = "search.lock"


class FolderInUseError(RuntimeError):
    """Another search works in the folder."""


@contextlib.contextmanager
def lock_folder(folder: Path, name: str) -> Iterator[None]:
    """Keeps all other searches out of a folder.

    The lock ends with the process, however that ends.

    Args:
        folder: The folder.
        name: Name of the search, which the other one is told.

    Raises:
        FolderInUseError: If another search has it. The error names it.
    """
    number = os.open(folder / FILE, os.O_RDWR | os.O_CREAT, 0o644)
    try:
        try:
            fcntl.flock(number, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            other = os.pread(number, 1000, 0).decode(errors="replace")
            raise FolderInUseError(
                f"The folder '{folder}' is in use by {other.strip()}. Wait for "
                "it, or choose another name or directory."
            ) from error
        now = datetime.datetime.now().isoformat(timespec="seconds")
        about = (
            f"the search {name!r} (process {os.getpid()} on "
            f"{socket.gethostname()}, since {now})\n"
        )
        os.ftruncate(number, 0)
        os.pwrite(number, about.encode(), 0)
        yield
    finally:
        os.close(number)
