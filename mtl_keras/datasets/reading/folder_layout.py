"""Layouts of folders: where images and masks lie, as the caller says."""

from __future__ import annotations

import dataclasses
import os
import re
from collections.abc import Mapping
from pathlib import Path

from mtl_keras.datasets.reading.image_files import (
    existing_folder,
    image_name,
    list_images,
    name_images,
)

# What follows the suffix in the name of a second mask: 2, _2, " (2)".
_NUMBER = re.compile(r"[\W_]*\d+[\W_]*")


@dataclasses.dataclass(frozen=True)
class FolderLayout:
    """Says where images and masks lie, in the arguments of `from_folder`.

    Args:
        path, images, masks, mask_suffix, class_folders, subfolders: See
            `from_folder`.
    """

    path: str | os.PathLike
    images: str
    masks: Mapping[str, str] | None
    mask_suffix: str | Mapping[str, str] | None
    class_folders: str | None
    subfolders: bool

    def __post_init__(self):
        if self.masks is not None and not isinstance(self.masks, Mapping):
            raise TypeError(
                "`masks` must be a dict from task name to folder, found "
                f"{self.masks!r}."
            )
        if self.class_folders is not None and not isinstance(
            self.class_folders, str
        ):
            raise TypeError(
                "`class_folders` must be the name of the task whose classes "
                f"are folders, found {self.class_folders!r}."
            )
        suffix = self.mask_suffix
        several = isinstance(suffix, Mapping)
        texts = suffix.values() if several else [suffix or ""]
        if not all(isinstance(text, str) for text in texts):
            raise TypeError(
                "`mask_suffix` must be the ending of the names of masks, such "
                f"as '_mask', or a dict from task name to it, found {suffix!r}."
            )
        if suffix and not several and not self.masks:
            raise ValueError(
                f"`mask_suffix` is {suffix!r}, but no task has masks. Pass "
                f"mask_suffix={{'a_task': {suffix!r}}} for masks beside their "
                "images, or their folder as `masks`."
            )

    @property
    def root(self) -> Path:
        """The folder that holds the others."""
        return existing_folder(self.path, "path")

    @property
    def images_folder(self) -> Path:
        """The folder of images."""
        return existing_folder(self.root / self.images, "images")

    def mask_folders(self) -> dict[str, Path]:
        """Returns the folder of masks of each task."""
        masks = dict(self.masks or {})
        if isinstance(self.mask_suffix, Mapping):
            masks |= {
                name: self.images
                for name in self.mask_suffix
                if name not in masks
            }
        return {
            name: existing_folder(self.root / folder, "masks")
            for name, folder in masks.items()
        }

    def endings(self) -> dict[str, str]:
        """Returns the ending of the names of masks by task, "" for none."""
        suffix = self.mask_suffix or ""
        return {
            name: suffix.get(name, "")
            if isinstance(suffix, Mapping)
            else suffix
            for name in self.mask_folders()
        }


@dataclasses.dataclass(frozen=True)
class FolderFiles:
    """The files of images and masks.

    Args:
        images: Dict from name to path.
        masks: Dict from task name to a dict from the name of an image to the
            path of its mask.
    """

    images: dict[str, Path]
    masks: dict[str, dict[str, Path]]


def find_files(layout: FolderLayout) -> FolderFiles:
    """Finds the images and masks of a layout.

    Args:
        layout: The `FolderLayout`.

    Returns:
        The `FolderFiles`.

    Raises:
        FileNotFoundError: If a folder is not there.
        ValueError: If one holds no images or something else than images, or a
            mask does not end as it must.
    """
    folder, folders = layout.images_folder, layout.mask_folders()
    everything = {at.resolve() for at in (folder, *folders.values())}
    deep = layout.subfolders or layout.class_folders is not None

    def listed(at: Path, argument: str) -> list[Path]:
        return list_images(
            at,
            argument,
            subfolders=deep,
            other_folders=everything - {at.resolve()},
        )

    files, endings, masks = listed(folder, "images"), layout.endings(), {}
    beside = {
        endings[name]: name
        for name, at in folders.items()
        if at.resolve() == folder.resolve()
    }
    if "" in beside:
        raise ValueError(
            f"`masks` names the folder of the images for the task "
            f"{beside['']!r}. Pass `mask_suffix`, such as '_mask' or '.png', "
            "which the names of its masks end with, or a folder of its own."
        )
    images, masks_beside = _part(files, beside)
    for name, at in folders.items():
        if endings[name] in beside and at.resolve() == folder.resolve():
            found = masks_beside[endings[name]]
        else:
            found = listed(at, "masks")
            _check_endings(name, found, endings[name])
        if not found:
            raise ValueError(
                f"`mask_suffix` is {endings[name]!r} for the task {name!r}, "
                f"but no file in '{at}' is named so."
            )
        stem = image_name(endings[name])
        masks[name] = name_images(found, at, "masks", stem)
    if not images:
        raise ValueError(
            f"`images` must hold images, found masks alone in '{folder}': all "
            f"names end with {sorted(beside)}."
        )
    named = name_images(images, folder, "images")
    _check_further_masks(named, beside)
    return FolderFiles(named, masks)


def _has_ending(file: Path, ending: str) -> bool:
    if image_name(ending) != ending:  # with the suffix of an image
        return file.name.lower().endswith(ending.lower())
    return image_name(file).endswith(ending)


def _part(files, endings) -> tuple[list[Path], dict[str, list[Path]]]:
    """Images, and masks by their ending, the longest one first."""
    images, masks = [], {ending: [] for ending in endings}
    for file in files:
        of = (e for e in sorted(endings, key=len)[::-1] if _has_ending(file, e))
        masks.get(next(of, None), images).append(file)
    return images, masks


def _check_endings(task, files, ending) -> None:
    for file in files:
        if not _has_ending(file, ending):
            raise ValueError(
                f"Task {task!r}: the mask '{file}' does not end with the "
                f"mask_suffix {ending!r}. Rename it, or move it elsewhere."
            )


def _check_further_masks(images: dict[str, Path], endings) -> None:
    """Raises a `ValueError` at a second mask that would be an image."""
    for name, file in images.items():
        for ending in filter(None, map(image_name, endings)):
            start, found, rest = name.partition(ending)
            if found and start in images and _NUMBER.fullmatch(rest):
                raise ValueError(
                    f"`images` holds '{file}', which looks like a further mask "
                    f"of '{images[start].name}': {rest!r} follows the "
                    f"mask_suffix {ending!r}. Make one mask of both, or give "
                    "it another name."
                )
