"""What has happened in a search, a line for each event."""

from __future__ import annotations

import json
import os
from pathlib import Path

from mtl_keras.training.backups.atomic_file import sync_folder

FILE = "journal.jsonl"


class Journal:
    """A file that only grows, and that survives a kill at any moment.

    An event is there once its line is on the disk, with its end. What a kill
    has left of a line is cut off when the journal is opened again.

    Args:
        folder: Folder of the study.

    Raises:
        ValueError: If a line that is whole cannot be read.
    """

    def __init__(self, folder: Path):
        self.path = folder / FILE
        self.events = self._read()

    def append(self, event: dict) -> None:
        """Writes an event, and waits until it is on the disk.

        Args:
            event: A dict of what JSON takes.
        """
        line = json.dumps(event, allow_nan=True) + "\n"
        number = os.open(
            self.path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644
        )
        size = os.fstat(number).st_size
        try:
            content = line.encode()
            while content:
                content = content[os.write(number, content) :]
            os.fsync(number)
            if not self.events:  # the file may be new
                sync_folder(self.path.parent)
        except BaseException:
            os.ftruncate(number, size)  # such as a full disk
            raise
        finally:
            os.close(number)
        self.events.append(event)

    def _read(self) -> list[dict]:
        if not self.path.is_file():
            return []
        content = self.path.read_bytes()
        whole = content.rfind(b"\n") + 1
        if whole < len(content):
            os.truncate(self.path, whole)
        events = []
        for at, line in enumerate(content[:whole].splitlines(), start=1):
            try:
                events.append(json.loads(line))
            except ValueError as error:
                raise ValueError(
                    f"'{self.path}', line {at} is damaged: {error}. Choose "
                    "another name, or restore the file."
                ) from error
        return events
