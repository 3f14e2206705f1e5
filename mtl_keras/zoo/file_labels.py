"""Finds which tasks a file has labels of."""

from __future__ import annotations

import dataclasses
import zipfile
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from mtl_keras.datasets.reading.conll_file import read_conll_file
from mtl_keras.datasets.reading.csv_header import read_header
from mtl_keras.datasets.reading.image_files import SUFFIXES, image_name
from mtl_keras.datasets.reading.target_spec import TargetSpec, read_target_specs
from mtl_keras.datasets.tagged_sentences import LABELS, TAGS
from mtl_keras.tasks import SequenceTagging

Arguments = dict[str, Any]


def keep_labels_found(
    name: str, arguments: Mapping[str, Any], specs: Sequence[TargetSpec]
) -> Arguments:
    """Removes the tasks that a file has no labels of.

    Args:
        name: Name of the reading function, such as `"from_npz"`.
        arguments: Its arguments, with the path of the file.
        specs: The `TargetSpec`s of all tasks.

    Returns:
        The arguments, with the `tasks` that have labels.

    Raises:
        ValueError: If the function reads no file.
    """
    if name not in _FINDERS:
        raise ValueError(
            f"{name} reads no file, so --data-path is not for it. Leave it out."
        )
    return _FINDERS[name](dict(arguments), list(specs))


def _find_arrays(arguments: Arguments, specs: list[TargetSpec]) -> Arguments:
    path, kept = Path(arguments["path"]), specs
    if zipfile.is_zipfile(path):
        with np.load(path, allow_pickle=False) as archive:
            keys = set(archive.files)
        kept = [spec for spec in specs if _key(spec) in keys]
    _drop_tasks(arguments, _names(specs) - _names(kept), "missing_pixel")
    return {**arguments, "tasks": kept}


def _key(spec: TargetSpec) -> str:
    # Several columns are the names of the labels.
    return spec.columns[0] if len(spec.columns) == 1 else spec.name


def _find_tags(arguments: Arguments, specs: list[TargetSpec]) -> Arguments:
    file = read_conll_file(
        arguments["path"],
        arguments.get("delimiter"),
        arguments.get("encoding", "utf-8"),
    )
    if file.width > 1:
        return {**arguments, "tasks": specs}
    # Only tokens.
    arguments.pop("columns", None)
    _drop_tasks(arguments, _names(specs), "scheme")
    return {**arguments, "tasks": []}


def _find_lines(arguments: Arguments, specs: list[TargetSpec]) -> Arguments:
    folder = Path(arguments["path"])
    there = {name for name in (TAGS, LABELS) if any(folder.rglob(name))}
    kept = [
        spec
        for spec in specs
        if (TAGS if issubclass(spec.kind, SequenceTagging) else LABELS) in there
    ]
    _drop_tasks(arguments, _names(specs) - _names(kept), "scheme")
    return {**arguments, "tasks": kept}


def _find_in_folder(arguments: Arguments, specs: list[TargetSpec]) -> Arguments:
    root = Path(arguments["path"])
    images = root / arguments.get("images", "images")
    masks = arguments.get("masks") or {}
    suffix = arguments.get("mask_suffix")
    beside = suffix if isinstance(suffix, Mapping) else {}
    without = {
        *(name for name in masks if not (root / masks[name]).is_dir()),
        *(
            name
            for name in beside
            if name not in masks and not _has_masks(images, beside[name])
        ),
    }
    classes = arguments.get("class_folders")
    if classes is not None and not _has_class_folders(images):
        arguments["class_folders"] = None
        without.add(classes)
    from_images = {*masks, *beside, *([] if classes is None else [classes])}
    safe = set(map(_safe, from_images))
    kept = [
        spec for spec in specs if spec.name in safe - set(map(_safe, without))
    ]
    for argument in ("masks", "mask_suffix", "colors", "missing_pixel"):
        _drop_tasks(arguments, without, argument)
    if not {*masks, *beside} - without:
        arguments |= {"masks": None, "mask_suffix": None, "colors": None}
    others = [spec for spec in specs if spec.name not in safe]
    columns = _find_columns(arguments, root, others)
    if not columns:
        arguments |= {"labels": None, "image_column": None}
    return {**arguments, "tasks": [*kept, *columns]}


def _find_columns(
    arguments: Arguments, root: Path, specs: list[TargetSpec]
) -> list[TargetSpec]:
    """Returns the specs whose columns the table of labels has."""
    labels = arguments.get("labels")
    if labels is None or not (root / labels).is_file():
        return []
    header = read_header(root / labels, "labels", ",")
    # A task whose column the recipe does not name may have a safe name.
    columns = {_safe(column): column for column in header if column}
    found = []
    for spec in specs:
        if len(spec.columns) == 1 and spec.columns[0] not in header:
            column = columns.get(spec.name)
            spec = dataclasses.replace(spec, columns=(column,))
        if set(spec.columns) <= set(header):
            found.append(spec)
    return found


def _safe(name: str) -> str:
    return read_target_specs([name])[0].name


def _has_masks(images: Path, suffix: str) -> bool:
    return any(
        file.name.lower().endswith(suffix.lower())
        or image_name(file.name).endswith(suffix)
        for file in images.rglob("*")
        if file.suffix.lower() in SUFFIXES
    )


def _has_class_folders(folder: Path) -> bool:
    return folder.is_dir() and any(path.is_dir() for path in folder.iterdir())


def _names(specs: Sequence[TargetSpec]) -> set[str]:
    return {spec.name for spec in specs}


def _drop_tasks(
    arguments: Arguments, names: Collection[str], argument: str
) -> None:
    """Removes tasks from an argument that is set by task."""
    value = arguments.get(argument)
    if isinstance(value, Mapping):
        arguments[argument] = {
            name: setting
            for name, setting in value.items()
            if name not in names and _safe(str(name)) not in names
        }


_FINDERS = {
    "from_npz": _find_arrays,
    "from_conll": _find_tags,
    "from_intent_slots": _find_lines,
    "from_folder": _find_in_folder,
}
