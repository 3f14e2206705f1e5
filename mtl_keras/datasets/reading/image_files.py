"""Folders of images: which there are, and what their headers say."""

from __future__ import annotations

import dataclasses
import os
import struct
from pathlib import Path

SUFFIXES = (".png", ".jpg", ".jpeg")

_OTHER_IMAGES = (".tif", ".tiff", ".bmp", ".gif", ".webp", ".npy")
_PNG = b"\x89PNG\r\n\x1a\n"
_PALETTE = 3


@dataclasses.dataclass(frozen=True)
class ImageHeader:
    """What an image file says of itself.

    Args:
        size: `(height, width)` in pixels.
        is_png: Boolean, false for a JPEG.
        bits: Integer, bits per channel.
        has_palette: Boolean, whether pixels are indices of colours.
    """

    size: tuple[int, int]
    is_png: bool = False
    bits: int = 8
    has_palette: bool = False


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


def list_images(folder: Path, argument: str) -> dict[str, Path]:
    """Lists the images of a folder by name.

    Args:
        folder: Path of the folder.
        argument: String, the argument that names it, for errors.

    Returns:
        Dict from name, without suffix, to path, sorted by name.

    Raises:
        ValueError: If there is none, an image of another format, or two of
            one name.
    """
    images = {}
    for file in sorted(folder.iterdir()):
        suffix = file.suffix.lower()
        if suffix in _OTHER_IMAGES:
            raise ValueError(
                f"`{argument}` must hold png or jpeg files, found '{file}'. "
                "Convert it, or move it elsewhere."
            )
        if suffix not in SUFFIXES or file.name.startswith("."):
            continue
        if file.stem in images:
            raise ValueError(
                f"`{argument}` must hold one image of each name, found "
                f"'{images[file.stem].name}' and '{file.name}' in '{folder}'."
            )
        images[file.stem] = file
    if not images:
        raise ValueError(
            f"`{argument}` must hold png or jpeg files, found none in "
            f"'{folder}'."
        )
    return images


def read_header(file: Path) -> ImageHeader:
    """Reads the header of an image, without its pixels.

    Args:
        file: Path of a png or jpeg file.

    Returns:
        The `ImageHeader`.

    Raises:
        ValueError: If it is no such file.
    """
    with file.open("rb") as stream:
        start = stream.read(26)
        if start[:8] == _PNG and len(start) == 26:
            width, height, bits, colour = struct.unpack(">IIBB", start[16:26])
            palette = colour == _PALETTE
            return ImageHeader((height, width), True, bits, palette)
        if start[:2] == b"\xff\xd8":
            stream.seek(2)
            size = _jpeg_size(stream)
            if size:
                return ImageHeader(size)
    raise ValueError(
        f"Expected a png or jpeg file, found something else in '{file}'."
    )


def _jpeg_size(stream) -> tuple[int, int] | None:
    """Height and width, from the segment that starts the frame."""
    while True:
        marker = stream.read(2)
        if len(marker) < 2 or marker[0] != 0xFF:
            return None
        code = marker[1]
        if code == 0xFF:  # a fill byte
            stream.seek(-1, os.SEEK_CUR)
            continue
        length = stream.read(2)
        if len(length) < 2:
            return None
        # C4, C8 and CC are tables; the others of that row start a frame.
        if 0xC0 <= code <= 0xCF and code not in (0xC4, 0xC8, 0xCC):
            frame = stream.read(5)
            return struct.unpack(">xHH", frame) if len(frame) == 5 else None
        stream.seek(struct.unpack(">H", length)[0] - 2, os.SEEK_CUR)
