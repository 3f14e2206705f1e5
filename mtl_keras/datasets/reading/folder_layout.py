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

    def suffixes(self) -> dict[str, str]:
        """Returns the ending of the names of masks by task, "" for none."""
        suffix = self.mask_suffix or ""
        return {
            name: image_name(
                suffix.get(name, "") if isinstance(suffix, Mapping) else suffix
            )
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
    everything = {folder.resolve(): folder} | {
        of.resolve(): of for of in folders.values()
    }
    deep = layout.subfolders or layout.class_folders is not None

    def listed(at: Path, argument: str) -> dict[str, Path]:
        return list_images(
            at,
            argument,
            subfolders=deep,
            other_folders=[of for of in everything if of != at.resolve()],
        )

    images = listed(folder, "images")
    suffixes = layout.suffixes()
    beside = {
        suffix
        for name, suffix in suffixes.items()
        if folders[name].resolve() == folder.resolve()
    }
    if "" in beside:
        task = next(
            name
            for name, suffix in suffixes.items()
            if not suffix and folders[name].resolve() == folder.resolve()
        )
        raise ValueError(
            f"`masks` names the folder of the images for the task {task!r}. "
            "Pass `mask_suffix`, such as '_mask', which the names of its masks "
            "end with, or a folder of its own."
        )
    images, masks_beside = _part(images, sorted(beside, key=len, reverse=True))
    masks = {}
    for name, suffix in suffixes.items():
        if folders[name].resolve() == folder.resolve():
            masks[name] = masks_beside[suffix]
        else:
            masks[name] = _all_with_suffix(
                name, listed(folders[name], "masks"), suffix
            )
        if not masks[name]:
            raise ValueError(
                f"`mask_suffix` is {suffix!r} for the task {name!r}, but no "
                f"file in '{folders[name]}' is named so."
            )
    if not images:
        raise ValueError(
            f"`images` must hold images, found masks alone in '{folder}': all "
            f"names end with {sorted(beside)}."
        )
    return FolderFiles(images, masks)


def _part(files, suffixes):
    """Images, and masks by suffix, the longest suffix first."""
    images, masks = {}, {suffix: {} for suffix in suffixes}
    for name, file in files.items():
        suffix = next((s for s in suffixes if name.endswith(s)), None)
        if suffix is None:
            images[name] = file
        else:
            masks[suffix][name.removesuffix(suffix)] = file
    for name, file in images.items():
        for suffix in suffixes:
            start, found, rest = name.partition(suffix)
            if found and start in images and _NUMBER.fullmatch(rest):
                raise ValueError(
                    f"`images` holds '{file}', which looks like a further mask "
                    f"of '{images[start].name}': {rest!r} follows the "
                    f"mask_suffix {suffix!r}. Make one mask of both, or give "
                    "it another name."
                )
    return images, masks


def _all_with_suffix(task, files, suffix) -> dict[str, Path]:
    for name, file in files.items():
        if not name.endswith(suffix):
            raise ValueError(
                f"Task {task!r}: the mask '{file}' does not end with the "
                f"mask_suffix {suffix!r}. Rename it, or move it elsewhere."
            )
    return {name.removesuffix(suffix): file for name, file in files.items()}
