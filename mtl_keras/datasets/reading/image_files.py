"""Folders of images: which files there are, and what they are named."""

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


def existing_folder(path: str | os.PathLike, argument: str) -> Path:
    """Finds the folder that the caller names.

    Args:
        path: String or path, `~` stands for the home folder.
        argument: String, the argument that names it, for the error.

    Returns:
        The path of the folder.

    Raises:
        FileNotFoundError: If there is no folder.
    """
    folder = Path(path).expanduser()
    if not folder.is_dir():
        found = "a file" if folder.is_file() else "nothing"
        raise FileNotFoundError(
            f"`{argument}` must name a folder, found {found} at '{folder}'."
        )
    return folder


def image_name(path: str | PurePath) -> str:
    """Returns the name that an image is matched by.

    Args:
        path: String or path of the image, seen from its folder.

    Returns:
        The path with slashes and without the suffix of an image, in one of
        the forms that Unicode has for the same letters.

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
    # macOS takes accents apart in the names of files, and tables do not.
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
        argument: String, the argument that names it, for errors.
        subfolders: Boolean, whether its sub-folders are part of it. Defaults
            to `False`.
        other_folders: Paths of folders that hold something else, wherever
            they lie. Defaults to `()`.

    Returns:
        List of paths.

    Raises:
        ValueError: If there is none, an image of another format, or a
            sub-folder that nothing was said of.
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
        argument: String, the argument that names it, for the error.
        ending: String that the names end with and that is no part of them.
            Defaults to `""`.

    Returns:
        Dict from name, see `image_name`, to path, sorted by name.

    Raises:
        ValueError: If two have one name.
    """
    images: dict[str, Path] = {}
    for file in files:
        name = image_name(file.relative_to(folder)).removesuffix(ending)
        if name in images:
            raise ValueError(
                f"`{argument}` must hold one image of each name, found "
                f"'{images[name].name}' and '{file.name}' in '{file.parent}'. "
                "Rename one; if it is the mask of the other, pass mask_suffix="
                f"{{'a_task': '{file.suffix}'}}."
            )
        images[name] = file
    return dict(sorted(images.items()))


def near_name(name: str, images: Iterable[str]) -> str:
    """Says which images have a name near to a misspelt one.

    Args:
        name: String, the name that no image has.
        images: Names of the images.

    Returns:
        A sentence for an error message.
    """
    images = list(images)
    if len(images) <= 10:
        return did_you_mean(name, images)
    # All names of a folder would be a long message.
    near = difflib.get_close_matches(name, images, n=1)
    return (
        f"Did you mean {near[0]!r}?"
        if near
        else f"Images are named such as {images[0]!r}."
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
        ", or class_folders='a_task' if the name of a folder is the class of "
        "its images"
    )
    raise ValueError(
        f"`{argument}` names '{folder}', whose sub-folder "
        f"'{at.relative_to(folder).as_posix()}' holds images too, such as "
        f"'{file.name}'. Pass subfolders=True to read them all under names "
        f"such as '{image_name(file.relative_to(folder))}'"
        f"{classes if argument == 'images' else ''}; or move the sub-folder "
        "elsewhere."
    )


def _walk(folder: Path, skipped) -> Iterator[tuple[Path, list[Path]]]:
    """Folders and their files; links are followed, none of them twice."""
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
                # What systems put beside the files of their users.
                if entry.name.startswith((".", "__MACOSX")):
                    continue
                path = at / entry.name
                waiting.append(path) if entry.is_dir() else files.append(path)
        yield at, files
