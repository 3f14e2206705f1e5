"""Describes the files of a data set, to notice that they have changed."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from mtl_keras.datasets.reading.image_files import SUFFIXES
from mtl_keras.datasets.reading.tfds_builder import load_builder
from mtl_keras.datasets.tagged_sentences import FILES

# Arguments that may name files, which `from_csv` has for each part.
_ARGUMENTS = ("path", "train", "validation", "test")
# Files that are too large to be read twice.
_MEDIA = (*SUFFIXES, ".wav")

DataFiles = dict[str, dict[str, Any]]


def describe_files(name: str, arguments: Mapping[str, Any]) -> DataFiles:
    """Describes the files that a data set reads.

    A file is described by its size and a hash of its content, a folder by the
    names and sizes of its files, and a hash of those that are not images or
    sounds.

    Args:
        name: Name of the data set, such as `"from_csv"`.
        arguments: Arguments of its `load_data`.

    Returns:
        Dict from a path to its description. Files that do not exist are left
        out; a data set without a path has none.
    """
    if name == "from_tfds":
        return _describe_tfds(arguments)
    if name == "from_folder":
        return _describe_image_folders(arguments)
    return {
        os.fspath(path): _describe(Path(path), name)
        for path in _find_paths(arguments)
        if Path(path).exists()
    }


def list_changes(before: DataFiles, now: DataFiles) -> list[str]:
    """Lists the differences between two descriptions of the same data set.

    Args:
        before: The older description.
        now: The newer description.

    Returns:
        List of strings, such as `"'new.csv' had 90 bytes and has 91"`.
    """
    changes = [f"'{path}' is missing" for path in before if path not in now]
    for path, found in now.items():
        if path not in before:
            changes.append(f"'{path}' was not there")
        elif found != before[path]:
            changes.append(_describe_change(path, before[path], found))
    return changes


def _describe_change(path: str, before: Mapping, now: Mapping) -> str:
    for key in ("files", "samples", "bytes"):
        if before.get(key) != now.get(key):
            return (
                f"'{path}' had {before.get(key)} {key} and has {now.get(key)}"
            )
    return f"the content of '{path}' has changed"


def _find_paths(arguments: Mapping[str, Any]) -> Iterator[str | os.PathLike]:
    for argument in _ARGUMENTS:
        value = arguments.get(argument)
        values = value.values() if isinstance(value, Mapping) else [value]
        for path in values:
            if isinstance(path, str | os.PathLike):
                yield path


def _describe(path: Path, name: str) -> dict[str, Any]:
    if path.is_file():
        return {"bytes": path.stat().st_size, "sha256": _hash_file(path)}
    files = [file for file in path.rglob("*") if file.is_file()]
    if name in ("from_intent_slots", "snips"):
        files = [file for file in files if file.name in FILES]
    return _describe_list(path, files)


def _describe_list(folder: Path, files: list[Path]) -> dict[str, Any]:
    listing, total = hashlib.sha256(), 0
    named = sorted(
        (file.relative_to(folder).as_posix(), file) for file in files
    )
    for name, file in named:
        size = file.stat().st_size
        total += size
        is_media = file.suffix.lower() in _MEDIA
        content = "" if is_media else _hash_file(file)
        listing.update(f"{name}\0{size}\0{content}\n".encode())
    return {
        "files": len(named),
        "bytes": total,
        "sha256": listing.hexdigest(),
    }


def _hash_file(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _describe_image_folders(arguments: Mapping[str, Any]) -> DataFiles:
    """Describes the images, masks and labels, and no other files."""
    root = Path(arguments["path"])
    masks = arguments.get("masks")
    masks = masks.values() if isinstance(masks, Mapping) else ()
    subfolders = arguments.get("subfolders") or arguments.get("class_folders")
    found = {}
    for name in (arguments.get("images", "images"), *masks):
        folder = root / name
        if folder.is_dir():
            files = folder.rglob("*") if subfolders else folder.iterdir()
            images = [f for f in files if f.suffix.lower() in SUFFIXES]
            found[os.fspath(folder)] = _describe_list(folder, images)
    if (labels := arguments.get("labels")) and (root / labels).is_file():
        found[os.fspath(root / labels)] = _describe(root / labels, "")
    return found


def _describe_tfds(arguments: Mapping[str, Any]) -> DataFiles:
    builder = load_builder(
        arguments.get("name"),
        arguments.get("data_dir"),
        arguments.get("download", True),
    )
    info = builder.info
    splits = info.splits.items()
    samples = {name: int(split.num_examples or 0) for name, split in splits}
    sizes = {name: int(split.num_bytes or 0) for name, split in splits}
    return {info.full_name: {"samples": samples, "bytes": sizes}}
