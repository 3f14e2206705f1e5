"""Pixels of image files, upright and whole."""

from __future__ import annotations

import io
import zlib

import numpy as np

from mtl_keras.datasets.reading.image_header import (
    FORMATS,
    ImageHeader,
    read_orientation,
)

# From `color_mode` to what Pillow calls it.
MODES = {"grayscale": "L", "rgb": "RGB", "rgba": "RGBA"}

_PNG_START = 8


def read_image(
    header: ImageHeader, color_mode: str, size: tuple[int, int]
) -> np.ndarray:
    """Reads the pixels of an image.

    Args:
        header: Its header.
        color_mode: `"grayscale"`, `"rgb"` or `"rgba"`.
        size: `(height, width)` to resize to, bilinearly and without aliasing.

    Returns:
        uint8 array of shape `(height, width, channels)`.

    Raises:
        ValueError: If the file is damaged. The error names it.
    """
    from PIL import Image

    image = in_mode(open_upright(header), MODES[color_mode])
    if header.size != size:
        image = image.resize(size[::-1], Image.Resampling.BILINEAR)
    return np.asarray(image).reshape(*size, -1)


def open_upright(header: ImageHeader):
    """Reads an image and turns it upright.

    Args:
        header: Its header.

    Returns:
        A Pillow image, in the mode of the file.

    Raises:
        ValueError: If the file is damaged, or another one than when its
            header was read. The error names it.
    """
    from PIL import Image

    data = header.file.read_bytes()
    try:
        if not header.is_jpeg:
            _check_sums(data)
        image = Image.open(io.BytesIO(data), formats=FORMATS)
        image.load()
        orientation = read_orientation(image)
        if orientation != 1:
            image = image.transpose(_turn(orientation))
    except MemoryError:
        raise
    # Whatever Pillow stumbles over, it is this file.
    except Exception as error:
        raise ValueError(
            f"The image '{header.file}' is damaged: {error}. Bring another "
            "copy of the file, or remove it."
        ) from error
    if (image.height, image.width) != header.size or image.mode != header.mode:
        raise ValueError(
            f"The image '{header.file}' has {image.height}x{image.width} "
            f"pixels of mode {image.mode}, where its header had "
            f"{header.size_text()} of mode {header.mode}. Read the folder "
            "again if the file has changed."
        )
    return image


def in_mode(image, mode: str):
    """Converts an image.

    Args:
        image: A Pillow image.
        mode: String, the mode that it shall have.

    Returns:
        The Pillow image; what is transparent keeps its colour.
    """
    if image.mode == mode:
        return image
    if image.mode == "P" and "transparency" in image.info:
        # Pillow warns where a palette loses what it says of opacity.
        image = image.convert("RGBA")
    return image if image.mode == mode else image.convert(mode)


def _turn(orientation: int):
    from PIL.Image import Transpose

    return {
        2: Transpose.FLIP_LEFT_RIGHT,
        3: Transpose.ROTATE_180,
        4: Transpose.FLIP_TOP_BOTTOM,
        5: Transpose.TRANSPOSE,
        6: Transpose.ROTATE_270,
        7: Transpose.TRANSVERSE,
        8: Transpose.ROTATE_90,
    }[orientation]


def _check_sums(data: bytes) -> None:
    """Compares the checksums of a png, which Pillow skips for pixels."""
    at, view = _PNG_START, memoryview(data)
    while True:
        length = int.from_bytes(view[at : at + 4], "big")
        end = at + 8 + length
        if end + 4 > len(data):
            raise OSError("the file is truncated")
        found = zlib.crc32(view[at + 4 : end])
        if found != int.from_bytes(view[end : end + 4], "big"):
            raise OSError("its checksum is wrong")
        if view[at + 4 : at + 8] == b"IEND":
            return
        at = end + 4
