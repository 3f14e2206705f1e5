"""A backup as one file: arrays, and facts as JSON."""

from __future__ import annotations

import dataclasses
import errno
import json
import os
import shutil
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import keras
import numpy as np

from mtl_keras.training.backups.atomic_file import (
    partial_path,
    remove_partial,
    write_atomically,
)

_FACTS = "facts"


class BackupError(OSError):
    """A backup could not be written or read."""


@dataclasses.dataclass
class Content:
    """What a backup holds.

    Args:
        facts: What can be said in JSON.
        arrays: Arrays by name, of any dtype that Keras has.
    """

    facts: dict[str, Any]
    arrays: dict[str, np.ndarray]


def write_backup(
    path: Path, facts: Mapping[str, Any], arrays: Mapping[str, np.ndarray]
) -> None:
    """Writes a backup; the one before stays until the new one is whole.

    Args:
        path: Path of the file.
        facts: What can be said in JSON.
        arrays: Arrays by name.

    Raises:
        BackupError: If it cannot be written. The one before is intact.
    """
    text = json.dumps({"facts": facts, "arrays": describe(arrays)})
    # numpy's format does not know bfloat16 and float8.
    raw = {name: _as_bytes(array) for name, array in arrays.items()}

    def write(file):
        np.savez(file, **{_FACTS: np.array(text), **raw})

    try:
        write_atomically(path, write)
    except OSError as error:
        raise BackupError(
            error.errno,
            f"The backup '{path}' could not be written: {_reason(error, path)} "
            f"{_kept(path)}",
        ) from error


def read_backup(path: Path) -> Content:
    """Reads a backup.

    Args:
        path: Path of the file.

    Raises:
        BackupError: If the file is damaged or no backup.
    """
    try:
        with np.load(path) as file:
            head = json.loads(str(file[_FACTS]))
            arrays = {
                name: _from_bytes(file[name], shape, dtype)
                for name, (shape, dtype) in head["arrays"].items()
            }
    except (
        EOFError,
        KeyError,
        OSError,
        ValueError,
        zipfile.BadZipFile,
    ) as error:
        raise BackupError(
            errno.EIO,
            f"The backup '{path}' cannot be read ({error}). Remove it to train "
            "from the start.",
        ) from error
    return Content(head["facts"], arrays)


def prepare_backup(path: Path) -> None:
    """Makes the folder of a backup, and tries whether it can be written to.

    What a kill during an earlier write has left is removed.

    Args:
        path: Path of the file.

    Raises:
        BackupError: If the folder cannot be made or written to.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        if path.is_dir():
            raise IsADirectoryError(errno.EISDIR, "it is a folder")
        remove_partial(path)
        partial_path(path).touch()
        remove_partial(path)
    except OSError as error:
        raise BackupError(
            error.errno,
            f"No backup can be written to '{path}': {error.strerror}. Choose "
            "a file in a folder that can be written to.",
        ) from error


def describe(arrays: Mapping[str, np.ndarray]) -> dict[str, list]:
    """Shape and dtype of arrays, by name, for JSON.

    Args:
        arrays: Arrays by name.
    """
    return {
        name: [list(array.shape), str(array.dtype)]
        for name, array in arrays.items()
    }


def zeros(description: Mapping[str, list]) -> dict[str, np.ndarray]:
    """Makes arrays of zeros as `describe` says.

    Args:
        description: What `describe` returned.
    """
    return {
        name: np.zeros(shape, _dtype(dtype))
        for name, (shape, dtype) in description.items()
    }


def _as_bytes(array: np.ndarray) -> np.ndarray:
    return np.frombuffer(np.ascontiguousarray(array).tobytes(), np.uint8)


def _from_bytes(raw: np.ndarray, shape, dtype: str) -> np.ndarray:
    return np.frombuffer(raw.tobytes(), _dtype(dtype)).reshape(shape).copy()


def _dtype(name: str) -> np.dtype:
    try:
        return np.dtype(name)
    except TypeError:  # bfloat16 and float8, which TensorFlow defines
        return keras.ops.convert_to_numpy(keras.ops.zeros((), name)).dtype


def _reason(error: OSError, path: Path) -> str:
    full = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
    if error.errno not in full:
        return f"{error.strerror or error}."
    free = shutil.disk_usage(path.parent).free
    return (
        f"{error.strerror} ({free / 2**20:.0f} MiB of the disk are free). "
        "Make room on the disk."
    )


def _kept(path: Path) -> str:
    if not os.path.isfile(path):
        return "There is none from before."
    return (
        "The one before is intact: start the same program again to go on from "
        "there."
    )
