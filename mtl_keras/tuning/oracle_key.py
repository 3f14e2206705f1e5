"""The key that a chief and its workers share."""

from __future__ import annotations

import os
import secrets
from pathlib import Path

VARIABLE = "MTL_KERAS_ORACLE_KEY"
FILE = "oracle.key"
_LEAST_LENGTH = 16


def make_key(folder: Path) -> bytes:
    """Finds the key of a search, or makes one for it.

    Args:
        folder: Folder of the search. The key is that of the environment
            variable, or else that of a file there which its owner alone can
            read.

    Raises:
        ValueError: If the environment variable is too short.
    """
    key = read_key(folder)
    if key is not None:
        return key
    folder.mkdir(parents=True, exist_ok=True)
    partial = folder / f".{FILE}-{os.getpid()}"
    number = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(number, "w") as file:
        file.write(secrets.token_hex(32) + "\n")
    os.replace(partial, folder / FILE)
    return read_key(folder)


def read_key(folder: Path) -> bytes | None:
    """Finds the key of a search.

    Args:
        folder: Folder of the search.

    Returns:
        The key, or `None` if there is none, neither in the environment nor in
        the folder.

    Raises:
        ValueError: If the environment variable is too short.
    """
    given = os.environ.get(VARIABLE)
    if given:
        if len(given) < _LEAST_LENGTH:
            raise ValueError(
                f"The key in {VARIABLE} has {len(given)} characters; expected "
                f"{_LEAST_LENGTH} or more, such as those of `openssl rand "
                "-hex 32`."
            )
        return given.encode()
    path = folder / FILE
    if not path.is_file():
        return None
    return path.read_text().strip().encode()
