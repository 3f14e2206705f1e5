"""Reads the headers of image files, without their pixels."""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Iterable
from pathlib import Path

from mtl_keras.datasets.reading.threads import map_in_threads

FORMATS = ("PNG", "JPEG")

_PNG, _JPEG = b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff"
_EXIF = ("exif", "xmp", "XML:com.adobe.xmp", "Raw profile type exif")
_ORIENTATION = 0x0112
_MODES = ("1", "L", "LA", "P", "RGB", "RGBA")


@dataclasses.dataclass(frozen=True)
class ImageHeader:
    """Header of an image file.

    Args:
        file: Path of the file.
        size: `(height, width)` in pixels, after the EXIF orientation is
            applied.
        mode: String, the mode of Pillow: `"1"`, `"L"` (grey), `"P"` (palette
            index), `"RGB"`, with or without `"A"`.
        bits: Integer, bits per channel. Defaults to 8.
        is_jpeg: Boolean, false for a png. Defaults to `False`.
        orientation: Integer from 1 to 8, the EXIF orientation. Defaults to 1,
            upright.
        palette: Bytes, red, green and blue of each index; `None` if pixels are
            not indices.
        file_size: Integer, size of the file in bytes. Defaults to 0.
    """

    file: Path
    size: tuple[int, int]
    mode: str
    bits: int = 8
    is_jpeg: bool = False
    orientation: int = 1
    palette: bytes | None = None
    file_size: int = 0

    def size_text(self) -> str:
        """Returns the size as text, with the orientation if it matters."""
        turned = (
            f" (after its EXIF orientation {self.orientation})"
            if self.orientation > 4
            else ""
        )
        return f"{self.size[0]}x{self.size[1]} pixels{turned}"


def read_headers(files: Iterable[Path]) -> list[ImageHeader]:
    """Reads the headers of images, in several threads.

    Args:
        files: Paths of png and jpeg files.

    Returns:
        The `ImageHeader` of each.

    Raises:
        ValueError: If one cannot be read. The error names the first, and the
            number of others.
    """
    from PIL import Image

    Image.preinit()  # once, instead of once per thread
    found = map_in_threads(_header_or_error, list(files))
    errors = [header for header in found if isinstance(header, ValueError)]
    if errors:
        others = len(errors) - 1
        more = f" The same holds for {others} more files." if others else ""
        raise ValueError(f"{errors[0]}{more}") from errors[0]
    return found


def read_header(file: Path) -> ImageHeader:
    """Reads the header of an image, without its pixels.

    Args:
        file: Path of a png or jpeg file.

    Returns:
        The `ImageHeader`.

    Raises:
        ValueError: If the file is not a png or jpeg file, corrupted, an
            animation, or its pixels are not 8-bit grey or RGB.
    """
    from PIL import Image

    with file.open("rb") as stream:
        start = stream.read(26)
        size = os.fstat(stream.fileno()).st_size
        if not start.startswith((_PNG, _JPEG)):
            raise ValueError(_foreign(file, start))
        stream.seek(0)
        try:
            with Image.open(stream, formats=FORMATS) as image:
                header = _header(file, image, start, size)
                frames = getattr(image, "n_frames", 1)
        # Pillow may raise any error for a corrupted file.
        except Exception as error:
            raise ValueError(
                f"The image '{file}' is corrupted, its header cannot be read: "
                f"{error}. Replace or remove the file."
            ) from error
    _check(header, frames)
    return header


def _header_or_error(file: Path) -> ImageHeader | ValueError:
    try:
        return read_header(file)
    except ValueError as error:
        return error


def _header(file, image, start, file_size) -> ImageHeader:
    is_jpeg = start.startswith(_JPEG)
    orientation = read_orientation(image)
    width, height = image.size
    return ImageHeader(
        file,
        (width, height) if orientation > 4 else (height, width),
        image.mode,
        bits=8 if is_jpeg else start[24],
        is_jpeg=is_jpeg,
        orientation=orientation,
        palette=bytes(image.palette.palette) if image.mode == "P" else None,
        file_size=file_size,
    )


def read_orientation(image) -> int:
    """Reads the EXIF orientation of an image.

    Args:
        image: A Pillow image.

    Returns:
        Integer from 1 to 8; 1 (upright) if there is none.
    """
    from PIL import Image

    if not any(key in image.info for key in _EXIF):
        return 1
    # `getexif` of a png would read all pixels to look for EXIF after them.
    found = Image.Image.getexif(image).get(_ORIENTATION, 1)
    return found if found in range(1, 9) else 1


def _check(header: ImageHeader, frames: int) -> None:
    # A JPEG from a camera may contain a second picture, a thumbnail.
    if frames > 1 and not header.is_jpeg:
        raise ValueError(
            f"Expected one picture, found an animation of {frames} frames in "
            f"'{header.file}'. Save one frame as a png."
        )
    if header.bits > 8:
        raise ValueError(
            f"Expected 8 bits per channel, found {header.bits} bits in "
            f"'{header.file}'. Scale its values to 8 bits (keep the classes "
            "of a mask), or use arrays (from_npz)."
        )
    if header.mode not in _MODES:
        raise ValueError(
            f"Expected grey or RGB pixels, found {header.mode} in "
            f"'{header.file}'. Convert it to RGB."
        )


def _foreign(file: Path, start: bytes) -> str:
    from PIL import Image

    if not start:
        return (
            f"Expected a png or jpeg file, found an empty file at '{file}'. "
            "Replace or remove it."
        )
    try:
        with Image.open(file) as image:
            found = f"a {image.format} file"
    except Exception:
        found = "something else"
    return (
        f"Expected a png or jpeg file, found {found} in '{file}'. Convert it, "
        "or remove it."
    )
