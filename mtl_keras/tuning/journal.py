"""Records the events of a search, one per line."""

from __future__ import annotations

import json
import os
from pathlib import Path

from mtl_keras.training.backups.atomic_file import (
    sync_folder,
    write_atomically,
)

FILE = "journal.jsonl"


class Journal:
    """An append-only file that survives a kill at any time.

    An event is recorded once its whole line is on disk. An incomplete last
    line, left by a kill, is removed when the journal is opened.

    Args:
        folder: Folder of the study.

    Raises:
        ValueError: If a complete line cannot be parsed.
    """

    def __init__(self, folder: Path):
        self.path = folder / FILE
        self.events = self._read()

    def append(self, event: dict) -> None:
        """Writes an event, and waits until it is on disk.

        Args:
            event: A dict of JSON values.
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
            os.ftruncate(number, size)  # for example if the disk is full
            raise
        finally:
            os.close(number)
        self.events.append(event)

    def restart(self, event: dict) -> None:
        """Replaces all events by one, at once.

        Args:
            event: A dict of JSON values.
        """
        content = (json.dumps(event, allow_nan=True) + "\n").encode()
        write_atomically(self.path, lambda file: file.write(content))
        self.events = [event]

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
