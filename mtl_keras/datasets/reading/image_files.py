"""Lists the images of a folder, and names them."""

from __future__ import annotations

import collections
import difflib
import os
import unicodedata
from collections.abc import Iterable, Iterator
from pathlib import Path, PurePath

from mtl_keras.spelling import did_you_mean

SUFFIXES = (".png", ".jpg", ".jpeg")

_OTHER_IMAGES = (".tif", ".tiff", ".bmp", ".gif", ".webp", ".npy")


def image_name(path: str | PurePath) -> str:
    """Returns the name by which an image is matched to masks and labels.

    Args:
        path: String or path of the image, relative to its folder.

    Returns:
        The path with slashes, without the suffix of an image, and in Unicode
        normalization form C.

    Example:

    >>> from mtl_keras.datasets.reading.image_files import image_name
    >>> image_name("ward2/scan.7.PNG")
    'ward2/scan.7'
    """
    text = path.as_posix() if isinstance(path, PurePath) else path
    for suffix in SUFFIXES:
        if text.lower().endswith(suffix):
            text = text[: -len(suffix)]
            break
    # macOS decomposes accents in file names; tables usually do not.
    return unicodedata.normalize("NFC", text)


def list_images(
    folder: Path,
    argument: str,
    *,
    subfolders: bool = False,
    other_folders: Iterable[Path] = (),
) -> list[Path]:
    """Lists the images of a folder.

    Args:
        folder: Path of the folder.
        argument: Name of the argument, for errors.
        subfolders: Boolean, whether to include its sub-folders. Defaults to
            `False`.
        other_folders: Paths of folders to skip, because they contain something
            else. Defaults to `()`.

    Returns:
        List of paths.

    Raises:
        ValueError: If there are no images, images of another format, or
            images in sub-folders although `subfolders` is false.
    """
    skipped = {other.resolve() for other in other_folders}
    images = []
    for file in _files(folder, argument, subfolders, skipped):
        if file.suffix.lower() in _OTHER_IMAGES:
            raise ValueError(
                f"`{argument}` must hold png or jpeg files, found '{file}'. "
                "Convert it, or move it elsewhere."
            )
        if file.suffix.lower() in SUFFIXES:
            images.append(file)
    if not images:
        raise ValueError(
            f"`{argument}` must hold png or jpeg files, found none in "
            f"'{folder}'."
        )
    return images


def name_images(
    files: Iterable[Path], folder: Path, argument: str, ending: str = ""
) -> dict[str, Path]:
    """Names the images of a folder.

    Args:
        files: Paths of the images.
        folder: Path of the folder.
        argument: Name of the argument, for the error.
        ending: Suffix to remove from the names. Defaults to `""`.

    Returns:
        Dict from name, see `image_name`, to path, sorted by name.

    Raises:
        ValueError: If two images have the same name.
    """
    images: dict[str, Path] = {}
    for file in files:
        name = image_name(file.relative_to(folder)).removesuffix(ending)
        if name in images:
            raise ValueError(
                f"`{argument}` must hold one image per name, found "
                f"'{images[name].name}' and '{file.name}' in '{file.parent}'. "
                "Rename one; if it is the mask of the other, pass mask_suffix="
                f"{{'a_task': '{file.suffix}'}}."
            )
        images[name] = file
    return dict(sorted(images.items()))


def suggest_image(name: str, images: Iterable[str]) -> str:
    """Suggests images with a similar name.

    Args:
        name: A name that no image has.
        images: Names of the images.

    Returns:
        A sentence for an error message.
    """
    images = list(images)
    if len(images) <= 10:
        return did_you_mean(name, images)
    # A list of all names would be too long.
    near = difflib.get_close_matches(name, images, n=1)
    return (
        f"Did you mean {near[0]!r}?"
        if near
        else f"An example of an image name is {images[0]!r}."
    )


def _files(folder, argument, subfolders, skipped) -> Iterator[Path]:
    for at, inner in _walk(folder, skipped):
        if at != folder and not subfolders:
            for file in inner:
                _check_not_an_image(file, at, folder, argument)
        else:
            yield from inner


def _check_not_an_image(file, at, folder, argument) -> None:
    if file.suffix.lower() not in (*SUFFIXES, *_OTHER_IMAGES):
        return
    classes = (
        ", or class_folders='a_task' if the folder names are the classes of "
        "the images"
    )
    raise ValueError(
        f"`{argument}` names '{folder}', whose sub-folder "
        f"'{at.relative_to(folder).as_posix()}' contains images, too, such "
        f"as '{file.name}'. Pass subfolders=True to read all of them, with "
        f"names such as '{image_name(file.relative_to(folder))}'"
        f"{classes if argument == 'images' else ''}; or move the sub-folder "
        "elsewhere."
    )


def _walk(folder: Path, skipped) -> Iterator[tuple[Path, list[Path]]]:
    """Yields folders and their files, following each link once."""
    seen = set(skipped) - {folder.resolve()}
    waiting = collections.deque([folder])
    while waiting:
        at = waiting.popleft()
        if at.resolve() in seen:
            continue
        seen.add(at.resolve())
        files = []
        with os.scandir(at) as entries:
            for entry in sorted(entries, key=lambda entry: entry.name):
                # Files that operating systems add.
                if entry.name.startswith((".", "__MACOSX")):
                    continue
                path = at / entry.name
                waiting.append(path) if entry.is_dir() else files.append(path)
        yield at, files
