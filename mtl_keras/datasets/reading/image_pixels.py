"""Reads the pixels of image files, upright."""

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

# From `color_mode` to the mode of Pillow.
MODES = {"grayscale": "L", "rgb": "RGB", "rgba": "RGBA"}

_PNG_START = 8


def read_image(
    header: ImageHeader, color_mode: str, size: tuple[int, int]
) -> np.ndarray:
    """Reads the pixels of an image.

    Args:
        header: Header of the image.
        color_mode: `"grayscale"`, `"rgb"` or `"rgba"`.
        size: `(height, width)` to resize to, bilinearly. If both axes shrink
            to half or less, or one to a third or less, pixels are averaged
            first.

    Returns:
        uint8 or float32 array of shape `(height, width, channels)`, with
        values in `[0, 255]`.

    Raises:
        ValueError: If the file is corrupted. The error names it.
    """
    mode = MODES[color_mode]
    if header.size == size:
        return read_pixels(header, mode)
    if _shrinks(header, size):
        return _read_averaged(header, mode, size)
    return _resize(read_pixels(header, mode), size)


def read_pixels(header: ImageHeader, mode: str | None = None) -> np.ndarray:
    """Reads the pixels of an image without resizing it.

    Args:
        header: Header of the image.
        mode: String, the mode of Pillow to convert to. Defaults to `None`: the
            mode of the file, with palette indices, and 0 and 1 for bits.

    Returns:
        uint8 array of shape `(height, width, channels)`.

    Raises:
        ValueError: If the file is corrupted, or has changed since its header
            was read. The error names it.
    """
    found = None
    if header.orientation == 1 and _has_same_meaning(header, mode):
        found = _read_fast(header, 0 if mode is None else len(mode))
    if found is None:
        image = _open_upright(header)
        pixels = np.asarray(image if mode is None else _convert(image, mode))
        found = pixels.reshape(*header.size, -1).astype("uint8", copy=False)
    return found


def _shrinks(header: ImageHeader, size: tuple[int, int]) -> bool:
    pairs = zip(header.size, size, strict=True)
    factors = [found / wanted for found, wanted in pairs]
    return min(factors) >= 2 or max(factors) >= 3


def _resize(pixels: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """Resizes bilinearly, by the kernel behind `tf.image.resize`."""
    with tf.device("CPU:0"):
        resized = tf.raw_ops.ResizeBilinear(
            images=pixels[None], size=size, half_pixel_centers=True
        )
    return np.asarray(memoryview(resized))[0]


def _read_averaged(header: ImageHeader, mode: str, size) -> np.ndarray:
    """Reads an image smaller, by the averages of its pixels."""
    from PIL import Image

    if header.is_jpeg:
        image = _convert(_open_upright(header, at_least=size), mode)
    else:
        pixels = read_pixels(header, mode)
        grey = pixels.shape[-1] == 1
        image = Image.fromarray(pixels[..., 0] if grey else pixels)
    factors = [
        _integer_factor(found, wanted)
        for found, wanted in zip(image.size, size[::-1], strict=True)
    ]
    if None not in factors:
        pixels = np.asarray(image.reduce(factors))
        return _resize(pixels.reshape(*pixels.shape[:2], -1), size)
    image = image.resize(
        size[::-1], Image.Resampling.BILINEAR, reducing_gap=1.0
    )
    return np.asarray(image).reshape(*size, -1)


def _has_same_meaning(header: ImageHeader, mode: str | None) -> bool:
    """Returns whether TensorFlow, which is faster, reads the same pixels."""
    if mode in (None, "L"):
        return header.bits == 8 and (
            header.mode == mode or (mode is None and header.mode != "P")
        )
    return mode == "RGB"


def _read_fast(header: ImageHeader, channels: int) -> np.ndarray | None:
    """Reads pixels by TensorFlow, or returns `None` to let Pillow try."""
    data = header.file.read_bytes()
    if not header.is_jpeg and b"eXIf" in data:
        return None  # may contain an orientation
    ops = tf.raw_ops
    decode = ops.DecodeJpeg if header.is_jpeg else ops.DecodePng
    try:
        # A tensor, because converting bytes takes as long as a small image.
        pixels = decode(contents=tf.constant(data), channels=channels)
    except tf.errors.InvalidArgumentError:
        return None
    pixels = np.asarray(memoryview(pixels))
    return pixels if pixels.shape[:2] == header.size else None


def _integer_factor(found: int, wanted: int) -> int | None:
    """Returns a divisor of `found` that leaves 1 to 2 times `wanted` pixels."""
    highest = max(found // wanted, 1)
    lowest = found // (2 * wanted) + 1
    for factor in range(highest, lowest - 1, -1):
        if found % factor == 0:
            return factor
    return None


def _open_upright(header: ImageHeader, at_least=None):
    """Opens an image with Pillow, upright and in the mode of the file.

    A JPEG may be read at half, a quarter or an eighth of its size, which is
    fast, if it is still as large as `at_least`.
    """
    from PIL import Image

    data = header.file.read_bytes()
    try:
        if not header.is_jpeg:
            _check_checksums(data)
        image = Image.open(io.BytesIO(data), formats=FORMATS)
        width, height = image.size
        if at_least is not None:
            _draft(image, read_orientation(image), at_least)
        image.load()
        # In a png, it may follow the pixels.
        orientation = read_orientation(image)
        if orientation != 1:
            image = image.transpose(_turn(orientation))
    except MemoryError:
        raise
    # Pillow may raise any error for a corrupted file.
    except Exception as error:
        raise ValueError(
            f"The image '{header.file}' is corrupted: {error}. Replace or "
            "remove the file."
        ) from error
    found = (width, height) if orientation > 4 else (height, width)
    if found != header.size or image.mode != header.mode:
        raise ValueError(
            f"The image '{header.file}' has {found[0]}x{found[1]} pixels of "
            f"mode {image.mode}, but its header had {header.size_text()} of "
            f"mode {header.mode}. If the file has changed, read the folder "
            "again."
        )
    return image


def _draft(image, orientation: int, at_least: tuple[int, int]) -> None:
    """Makes a JPEG decode at a fraction of its size, without cut pixels."""
    width, height = at_least if orientation > 4 else at_least[::-1]
    for factor in (8, 4, 2):
        sizes = [image.width // factor, image.height // factor]
        is_exact = image.width % factor == image.height % factor == 0
        if is_exact and sizes[0] >= width and sizes[1] >= height:
            image.draft(None, sizes)
            return


def _convert(image, mode: str):
    if image.mode == mode:
        return image
    if image.mode == "P" and "transparency" in image.info:
        # Pillow warns if a palette loses its transparency.
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


def _check_checksums(data: bytes) -> None:
    """Checks the checksums of a png, which Pillow skips for pixels."""
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
