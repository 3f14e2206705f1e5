"""Pixels of image files, upright and whole."""

from __future__ import annotations

import io
import zlib

import numpy as np
import tensorflow as tf

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
        size: `(height, width)` to resize to, bilinearly; what shrinks to half
            or less both ways, or to a third one way, is averaged before.

    Returns:
        uint8 or float32 array of shape `(height, width, channels)`, values
        from 0 to 255.

    Raises:
        ValueError: If the file is damaged. The error names it.
    """
    mode = MODES[color_mode]
    if header.size == size:
        return read_pixels(header, mode)
    if _is_halved(header, size):
        return _read_smaller(header, mode, size)
    return _resize(read_pixels(header, mode), size)


def read_pixels(header: ImageHeader, mode: str | None = None) -> np.ndarray:
    """Reads the pixels of an image in the size that it has.

    Args:
        header: Its header.
        mode: String, what pixels are to be, in the words of Pillow. Defaults
            to `None`: what they are in the file; indices of a palette, and 0
            and 1 for a bit.

    Returns:
        uint8 array of shape `(height, width, channels)`.

    Raises:
        ValueError: If the file is damaged, or another one than when its
            header was read. The error names it.
    """
    found = None
    if header.orientation == 1 and _has_same_meaning(header, mode):
        found = _read_fast(header, 0 if mode is None else len(mode))
    if found is None:
        image = _open_upright(header)
        pixels = np.asarray(image if mode is None else _in_mode(image, mode))
        found = pixels.reshape(*header.size, -1).astype("uint8", copy=False)
    return found


def _is_halved(header: ImageHeader, size: tuple[int, int]) -> bool:
    pairs = zip(header.size, size, strict=True)
    shrinks = [found / wanted for found, wanted in pairs]
    return min(shrinks) >= 2 or max(shrinks) >= 3


def _resize(pixels: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """Pixels, between their neighbours; what `tf.image.resize` is made of."""
    with tf.device("CPU:0"):
        resized = tf.raw_ops.ResizeBilinear(
            images=pixels[None], size=size, half_pixel_centers=True
        )
    return np.asarray(memoryview(resized))[0]


def _read_smaller(header: ImageHeader, mode: str, size) -> np.ndarray:
    """Pixels that are the means of those they stand for."""
    from PIL import Image

    if header.is_jpeg:
        image = _in_mode(_open_upright(header, at_least=size), mode)
    else:
        pixels = read_pixels(header, mode)
        grey = pixels.shape[-1] == 1
        image = Image.fromarray(pixels[..., 0] if grey else pixels)
    parts = [
        _whole_part(found, wanted)
        for found, wanted in zip(image.size, size[::-1], strict=True)
    ]
    if None not in parts:
        pixels = np.asarray(image.reduce(parts))
        return _resize(pixels.reshape(*pixels.shape[:2], -1), size)
    image = image.resize(
        size[::-1], Image.Resampling.BILINEAR, reducing_gap=1.0
    )
    return np.asarray(image).reshape(*size, -1)


def _has_same_meaning(header: ImageHeader, mode: str | None) -> bool:
    """Whether TensorFlow reads the pixels as Pillow does, only faster."""
    if mode in (None, "L"):
        return header.bits == 8 and (
            header.mode == mode or (mode is None and header.mode != "P")
        )
    return mode == "RGB"


def _read_fast(header: ImageHeader, channels: int) -> np.ndarray | None:
    """Pixels, or `None` where Pillow is to say what is wrong."""
    data = header.file.read_bytes()
    if not header.is_jpeg and b"eXIf" in data:
        return None  # an orientation, which may follow the pixels
    ops = tf.raw_ops
    decode = ops.DecodeJpeg if header.is_jpeg else ops.DecodePng
    try:
        # From a tensor, because bytes cost as much again as a small image.
        pixels = decode(contents=tf.constant(data), channels=channels)
    except tf.errors.InvalidArgumentError:
        return None
    pixels = np.asarray(memoryview(pixels))
    return pixels if pixels.shape[:2] == header.size else None


def _whole_part(found: int, wanted: int) -> int | None:
    """A number of pixels to average that leaves none, nor two for one."""
    most = max(found // wanted, 1)
    least = found // (2 * wanted) + 1
    for part in range(most, least - 1, -1):
        if found % part == 0:
            return part
    return None


def _open_upright(header: ImageHeader, at_least=None):
    """A Pillow image in the mode of the file.

    A JPEG may be read in half, a quarter or an eighth of its size, which is
    fast, as long as it has the size of `at_least`.
    """
    from PIL import Image

    data = header.file.read_bytes()
    try:
        if not header.is_jpeg:
            _check_sums(data)
        image = Image.open(io.BytesIO(data), formats=FORMATS)
        width, height = image.size
        if at_least is not None:
            _shrink(image, read_orientation(image), at_least)
        image.load()
        # That of a png may follow its pixels.
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
    found = (width, height) if orientation > 4 else (height, width)
    if found != header.size or image.mode != header.mode:
        raise ValueError(
            f"The image '{header.file}' has {found[0]}x{found[1]} pixels of "
            f"mode {image.mode}, where its header had {header.size_text()} of "
            f"mode {header.mode}. Read the folder again if the file has "
            "changed."
        )
    return image


def _shrink(image, orientation: int, at_least: tuple[int, int]) -> None:
    """Lets a JPEG be decoded in a part of its size, that ends at a pixel."""
    width, height = at_least if orientation > 4 else at_least[::-1]
    for part in (8, 4, 2):
        sizes = [image.width // part, image.height // part]
        ends = image.width % part == image.height % part == 0
        if ends and sizes[0] >= width and sizes[1] >= height:
            image.draft(None, sizes)
            return


def _in_mode(image, mode: str):
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
