"""Locks the folder of a search."""

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
    """Raised if another search is using the folder."""


@contextlib.contextmanager
def lock_folder(folder: Path, name: str) -> Iterator[None]:
    """Locks a folder against other searches.

    The lock is released when the process ends, even by a kill.

    Args:
        folder: The folder.
        name: Name of the search, for the error of the other one.

    Raises:
        FolderInUseError: If another search, which the error names, holds the
            lock.
    """
    number = os.open(folder / FILE, os.O_RDWR | os.O_CREAT, 0o644)
    try:
        try:
            fcntl.flock(number, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            other = os.pread(number, 1000, 0).decode(errors="replace")
            raise FolderInUseError(
                f"The folder '{folder}' is in use by {other.strip()}. Wait "
                "for it, or choose another name or directory."
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
