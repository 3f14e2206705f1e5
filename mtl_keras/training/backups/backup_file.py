"""A backup file that contains arrays and JSON facts."""

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
class BackupContent:
    """The content of a backup.

    Args:
        facts: Dict that can be serialized to JSON.
        arrays: Dict from name to array of any Keras dtype.
    """

    facts: dict[str, Any]
    arrays: dict[str, np.ndarray]


def write_backup(
    path: Path, facts: Mapping[str, Any], arrays: Mapping[str, np.ndarray]
) -> None:
    """Writes a backup and keeps the previous one until it is complete.

    Args:
        path: Path of the file.
        facts: Dict that can be serialized to JSON.
        arrays: Dict from name to array.

    Raises:
        BackupError: If the backup cannot be written. The previous backup is
            intact.
    """
    text = json.dumps({"facts": facts, "arrays": describe_arrays(arrays)})
    # numpy's file format does not support bfloat16 and float8.
    raw = {name: _as_bytes(array) for name, array in arrays.items()}

    def write(file):
        np.savez(file, **{_FACTS: np.array(text), **raw})

    try:
        write_atomically(path, write)
    except OSError as error:
        raise BackupError(
            error.errno,
            f"The backup '{path}' could not be written: "
            f"{_describe_error(error, path)} {_describe_previous(path)}",
        ) from error


def read_backup(path: Path) -> BackupContent:
    """Reads a backup.

    Args:
        path: Path of the file.

    Raises:
        BackupError: If the file is corrupted or not a backup.
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
    return BackupContent(head["facts"], arrays)


def prepare_backup(path: Path) -> None:
    """Creates the folder of a backup and checks that it is writable.

    It also removes a partial file of a killed write.

    Args:
        path: Path of the file.

    Raises:
        BackupError: If the folder cannot be created or is not writable.
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
            "a file in a writable folder.",
        ) from error


def describe_arrays(arrays: Mapping[str, np.ndarray]) -> dict[str, list]:
    """Returns the shapes and dtypes of arrays, for JSON.

    Args:
        arrays: Dict from name to array.

    Returns:
        Dict from name to a list of shape and dtype.
    """
    return {
        name: [list(array.shape), str(array.dtype)]
        for name, array in arrays.items()
    }


def make_zeros(description: Mapping[str, list]) -> dict[str, np.ndarray]:
    """Creates arrays of zeros from a description.

    Args:
        description: The result of `describe_arrays`.
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
        return keras.ops.convert_to_numpy(keras.ops.make_zeros((), name)).dtype


def _describe_error(error: OSError, path: Path) -> str:
    full = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
    if error.errno not in full:
        return f"{error.strerror or error}."
    free = shutil.disk_usage(path.parent).free
    return (
        f"{error.strerror} ({free / 2**20:.0f} MiB of the disk are free). "
        "Free some space on the disk."
    )


def _describe_previous(path: Path) -> str:
    if not os.path.isfile(path):
        return "There is no previous backup."
    return (
        "The previous backup is intact: start the same program again to "
        "resume from it."
    )
