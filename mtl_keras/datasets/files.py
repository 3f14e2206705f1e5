"""Finds the files that the user names, and reads arrays from them."""

import os
import zipfile
from collections.abc import Mapping
from pathlib import Path

import numpy as np


def existing_file(path: str | os.PathLike, origin: str) -> Path:
    """Returns the path of a file, or raises an error if it does not exist.

    Args:
        path: String or path; `~` is the home folder.
        origin: Sentence on where to get the file, for the error.

    Returns:
        The path of the file.

    Raises:
        FileNotFoundError: If the file does not exist.
    """
    file = Path(path).expanduser()
    if not file.is_file():
        found = "a folder" if file.is_dir() else "nothing"
        raise FileNotFoundError(
            f"`path` must name a file, found {found} at '{file}'. {origin}"
        )
    return file


def existing_folder(
    path: str | os.PathLike, origin: str = "", *, argument: str = "path"
) -> Path:
    """Returns the path of a folder, or raises an error if it does not exist.

    Args:
        path: String or path; `~` is the home folder.
        origin: Sentence on where to get the folder, for the error. Defaults
            to `""`.
        argument: Name of the argument, for the error. Defaults to `"path"`.

    Returns:
        The path of the folder.

    Raises:
        FileNotFoundError: If the folder does not exist.
    """
    folder = Path(path).expanduser()
    if not folder.is_dir():
        found = "a file" if folder.is_file() else "nothing"
        text = f"`{argument}` must name a folder, found {found} at '{folder}'."
        raise FileNotFoundError(f"{text} {origin}".rstrip())
    return folder


def read_arrays(
    path: str | os.PathLike,
    shapes: Mapping[str, tuple[int | str, ...]],
    origin: str,
) -> dict[str, np.ndarray]:
    """Reads named arrays from an npz file and checks their shapes.

    Args:
        path: String or path of the npz file.
        shapes: Mapping from the keys to read to their shapes. An axis is an
            integer, which must match, or a name, which must have the same
            size wherever it occurs.
        origin: Sentence on where to get the file, for the error.

    Returns:
        Dict of the arrays named in `shapes`. Other keys are ignored.

    Raises:
        FileNotFoundError: If the file does not exist.
        ValueError: If the file is not an npz file, lacks a key, or an array
            has the wrong shape.
    """
    file = existing_file(path, origin)
    if not zipfile.is_zipfile(file):
        raise ValueError(
            f"`path` must name an npz file, found something else in '{file}'. "
            f"{origin}"
        )
    with np.load(file, allow_pickle=False) as archive:
        missing = [key for key in shapes if key not in archive.files]
        if missing:
            raise ValueError(
                f"`path` must hold the keys {list(shapes)}, but '{file}' "
                f"lacks {missing}; it holds {archive.files}. {origin}"
            )
        arrays = {key: archive[key] for key in shapes}
    _check_shapes(arrays, shapes, file)
    return arrays


def scale_pixels(pixels: np.ndarray, key: str) -> np.ndarray:
    """Scales pixels from [0, 255] to [0, 1].

    Args:
        pixels: uint8 array of any shape.
        key: Key of the array in its file, for the error.

    Returns:
        float32 array of the same shape, with values in `[0, 1]`.

    Raises:
        ValueError: If the dtype is not uint8, so that the range is unknown.
    """
    if pixels.dtype != np.uint8:
        raise ValueError(
            f"`path` must hold '{key}' as uint8 pixels of 0 to 255, found "
            f"{pixels.dtype}. Convert it before saving the file."
        )
    return pixels.astype("float32") / 255


def _check_shapes(arrays, shapes, file):
    sizes = {}
    for key, shape in shapes.items():
        expected = tuple(sizes.get(axis, axis) for axis in shape)
        found = arrays[key].shape
        fits = len(found) == len(expected) and all(
            isinstance(axis, str) or axis == size
            for axis, size in zip(expected, found, strict=True)
        )
        if not fits:
            # Without quotes, an axis whose size is open reads as a variable.
            wanted = ", ".join(map(str, expected))
            raise ValueError(
                f"`path` must hold '{key}' in the shape ({wanted}), found "
                f"{found} in '{file}'."
            )
        sizes.update(
            (axis, size)
            for axis, size in zip(shape, found, strict=True)
            if isinstance(axis, str)
        )
