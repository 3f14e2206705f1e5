"""Finds the files of images and masks from the arguments of `from_folder`."""

from __future__ import annotations

import dataclasses
import os
import re
from collections.abc import Mapping
from pathlib import Path

from mtl_keras.datasets.files import existing_folder
from mtl_keras.datasets.reading.image_files import (
    image_name,
    list_images,
    name_images,
)

# Follows the suffix in the name of a second mask: 2, _2, " (2)".
_NUMBER = re.compile(r"[\W_]*\d+[\W_]*")


@dataclasses.dataclass(frozen=True)
class FolderLayout:
    """Arguments of `from_folder` that determine the files.

    Args:
        path: See `from_folder`.
        images: See `from_folder`.
        masks: See `from_folder`.
        mask_suffix: See `from_folder`.
        class_folders: See `from_folder`.
        subfolders: See `from_folder`.

    Raises:
        TypeError: If an argument has the wrong type.
        ValueError: If `mask_suffix` is a string, but no task has masks.
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
                f"are the folders, found {self.class_folders!r}."
            )
        suffix = self.mask_suffix
        several = isinstance(suffix, Mapping)
        texts = suffix.values() if several else [suffix or ""]
        if not all(isinstance(text, str) for text in texts):
            raise TypeError(
                "`mask_suffix` must be a suffix of the names of masks, such "
                f"as '_mask', or a dict of it by task, found {suffix!r}."
            )
        if suffix and not several and not self.masks:
            raise ValueError(
                f"`mask_suffix` is {suffix!r}, but no task has masks. Pass "
                f"mask_suffix={{'a_task': {suffix!r}}} for masks in the folder "
                "of images, or their folder as `masks`."
            )

    @property
    def root(self) -> Path:
        """Path of the folder that contains the others."""
        return existing_folder(self.path)

    @property
    def images_folder(self) -> Path:
        """Path of the folder of images."""
        return existing_folder(self.root / self.images, argument="images")

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
            name: existing_folder(self.root / folder, argument="masks")
            for name, folder in masks.items()
        }

    def suffixes(self) -> dict[str, str]:
        """Returns the suffix of the names of masks by task, or `""`."""
        suffix = self.mask_suffix or ""
        return {
            name: suffix.get(name, "")
            if isinstance(suffix, Mapping)
            else suffix
            for name in self.mask_folders()
        }


@dataclasses.dataclass(frozen=True)
class FolderFiles:
    """Files of images and masks.

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
        FileNotFoundError: If a folder does not exist.
        ValueError: If a folder has no images or images of another format, or
            the name of a mask does not end with its suffix.
    """
    folder, mask_folders = layout.images_folder, layout.mask_folders()
    all_folders = {at.resolve() for at in (folder, *mask_folders.values())}
    deep = layout.subfolders or layout.class_folders is not None

    def find(at: Path, argument: str) -> list[Path]:
        return list_images(
            at,
            argument,
            subfolders=deep,
            other_folders=all_folders - {at.resolve()},
        )

    files, suffixes, masks = find(folder, "images"), layout.suffixes(), {}
    # Tasks whose masks are in the folder of images, by suffix.
    beside = {
        suffixes[name]: name
        for name, at in mask_folders.items()
        if at.resolve() == folder.resolve()
    }
    if "" in beside:
        raise ValueError(
            f"`masks` names the folder of the images for the task "
            f"{beside['']!r}. Pass the suffix of the names of its masks as "
            "`mask_suffix`, such as '_mask' or '.png', or another folder."
        )
    images, masks_beside = _separate_masks(files, beside)
    for name, at in mask_folders.items():
        suffix = suffixes[name]
        if suffix in beside and at.resolve() == folder.resolve():
            found = masks_beside[suffix]
        else:
            found = find(at, "masks")
            _check_suffix(name, found, suffix)
        if not found:
            raise ValueError(
                f"`mask_suffix` is {suffix!r} for the task {name!r}, but no "
                f"file name in '{at}' ends with it."
            )
        stem = image_name(suffix)
        masks[name] = name_images(found, at, "masks", stem)
    if not images:
        raise ValueError(
            f"`images` must hold images, found only masks in '{folder}': all "
            f"names end with {sorted(beside)}."
        )
    named = name_images(images, folder, "images")
    _check_second_masks(named, beside)
    return FolderFiles(named, masks)


def _has_suffix(file: Path, suffix: str) -> bool:
    if image_name(suffix) != suffix:  # with the suffix of an image file
        return file.name.lower().endswith(suffix.lower())
    return image_name(file).endswith(suffix)


def _separate_masks(
    files, suffixes
) -> tuple[list[Path], dict[str, list[Path]]]:
    """Returns images, and masks by suffix, where the longest suffix wins."""
    images, masks = [], {suffix: [] for suffix in suffixes}
    longest_first = sorted(suffixes, key=len)[::-1]
    for file in files:
        matches = (s for s in longest_first if _has_suffix(file, s))
        masks.get(next(matches, None), images).append(file)
    return images, masks


def _check_suffix(task, files, suffix) -> None:
    for file in files:
        if not _has_suffix(file, suffix):
            raise ValueError(
                f"Task {task!r}: the name of the mask '{file}' does not end "
                f"with the mask_suffix {suffix!r}. Rename it, or move it "
                "elsewhere."
            )


def _check_second_masks(images: dict[str, Path], suffixes) -> None:
    """Raises an error for the second mask of an image."""
    for name, file in images.items():
        for suffix in filter(None, map(image_name, suffixes)):
            start, found, rest = name.partition(suffix)
            if found and start in images and _NUMBER.fullmatch(rest):
                raise ValueError(
                    f"`images` holds '{file}', which looks like a second mask "
                    f"of '{images[start].name}': {rest!r} follows the "
                    f"mask_suffix {suffix!r}. Combine the two masks, or rename "
                    "it."
                )
