"""Reads masks whose classes are grey values or palette indices."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import numpy as np

from mtl_keras.datasets.reading.image_header import ImageHeader
from mtl_keras.datasets.reading.image_pixels import read_pixels
from mtl_keras.datasets.reading.infer_mask_encoding import infer_mask_encoding
from mtl_keras.datasets.reading.mask_encoding import MaskEncoding
from mtl_keras.datasets.reading.mask_files import (
    MaskReader,
    check_opaque,
    resize_nearest,
    sample_masks,
)
from mtl_keras.datasets.reading.mask_values import MaskValues
from mtl_keras.datasets.reading.threads import map_in_threads

SAMPLE_SIZE = 32

_PROGRESS_BAR_FROM = 500


@dataclasses.dataclass(frozen=True)
class GreyMasks(MaskReader):
    """Reader of masks of grey values or palette indices.

    Args:
        encoding: The `MaskEncoding` of their values.
    """

    encoding: MaskEncoding

    def read(self, header: ImageHeader, size: tuple[int, int]) -> np.ndarray:
        encoding = self.encoding
        values = _read_values(encoding.task, header)
        if not encoding.is_surely_valid(values):
            counts = _count_values(values, encoding.missing_pixel)
            if _has_bits(header, counts):
                encoding = dataclasses.replace(encoding, is_cut=False)
            else:
                encoding.check(
                    counts, f"'{header.file}'", is_lossy=header.is_jpeg
                )
        return encoding.encode(resize_nearest(values, size))[..., None]


def make_grey_masks(
    task: str,
    headers: Sequence[ImageHeader],
    num_classes: int | None,
    missing_pixel: int | None,
) -> GreyMasks:
    """Makes the reader of the masks of a task.

    Args:
        task: Name of the task.
        headers: Headers of all its masks.
        num_classes: Integer, number of classes that the user gives, so that
            only a sample of the masks is read; or `None` to read all masks.
        missing_pixel: Integer, value of pixels without a label, or `None`.

    Returns:
        The `GreyMasks`.

    Raises:
        ValueError: If a mask cannot contain classes, or the values are
            ambiguous.
    """
    for header in headers:
        _check_header(task, header, num_classes)
    _check_palettes(task, headers)
    found = MaskValues()
    if num_classes is None:
        _add_values(task, found, headers, missing_pixel)
    else:
        sample = sample_masks(headers, SAMPLE_SIZE)
        _add_values(task, found, sample, missing_pixel)
        if num_classes == 1 and set(found.all) <= {0}:
            # A sample without foreground does not show its value.
            seen = set(map(id, sample))
            rest = [h for h in headers if h.mode != "1" and id(h) not in seen]
            _add_values(task, found, rest, missing_pixel)
    count = len(headers)
    source = "its mask" if count == 1 else f"its {count} masks"
    encoding = infer_mask_encoding(
        task, found, num_classes, missing_pixel, source
    )
    for header in headers:
        _check_header(task, header, encoding.num_classes)
    masks = GreyMasks(encoding)
    if num_classes is not None:
        # Read one by one, so that the error names the file.
        map_in_threads(lambda header: masks.read(header, (1, 1)), sample)
    return masks


def _add_values(task, found: MaskValues, headers, missing_pixel) -> None:
    def read(header):
        return _count_values(_read_values(task, header), missing_pixel)

    counted = map_in_threads(
        read, headers, unit="mask", progress_bar_from=_PROGRESS_BAR_FROM
    )
    for header, counts in zip(headers, counted, strict=True):
        if _has_bits(header, counts):
            found.has_bits = True
            continue
        if header.is_jpeg:
            values = found.lossy
        else:
            values = found.greys if header.palette is None else found.indices
        for value in counts:
            values.setdefault(value, f"'{header.file}'")


def _read_values(task: str, header: ImageHeader) -> np.ndarray:
    """Reads greys or indices, uint8 of shape `(height, width)`."""
    pixels = read_pixels(header)
    if pixels.shape[-1] in (2, 4):
        check_opaque(task, pixels, header)
        pixels = pixels[..., :-1]
    values = pixels[..., 0]
    for channel in range(1, pixels.shape[-1]):
        if not np.array_equal(values, pixels[..., channel]):
            differs = values != pixels[..., channel]
            color = tuple(pixels[differs][0].tolist())
            raise ValueError(
                f"Task {task!r}: found the colour {color} in the mask "
                f"'{header.file}', expected grey values, one per class. If "
                f"its colours are classes, pass colors={{{task!r}: "
                "{'a_class': (255, 0, 0), ...}}."
            )
    return values


def _count_values(values: np.ndarray, missing_pixel) -> dict[int, int]:
    found = np.bincount(values.ravel(), minlength=256)
    counts = {int(value): int(found[value]) for value in found.nonzero()[0]}
    counts.pop(missing_pixel, None)
    return counts


def _has_bits(header: ImageHeader, counts) -> bool:
    """Returns whether 0 and 1 are background and foreground by the format."""
    two_values = header.mode == "1" or header.palette is not None
    return two_values and set(counts) <= {0, 1}


def _check_header(task: str, header: ImageHeader, count: int | None) -> None:
    if count in (1, None):
        return
    wrong = None
    if header.is_jpeg:
        wrong = "jpeg, whose values are inexact,"
    elif header.mode == "L" and header.bits in (2, 4):
        wrong = f"{header.bits} bits per pixel"
    if wrong:
        raise ValueError(
            f"Task {task!r}: found {wrong} in the mask '{header.file}', "
            "expected a png of 8-bit grey values, one per class."
        )


def _check_palettes(task: str, headers: Sequence[ImageHeader]) -> None:
    """Raises an error if an index is ambiguous."""
    palettes = {h.palette: h for h in headers if h.palette is not None}
    if not palettes:
        return
    longest = palettes[max(palettes, key=len)]
    for palette, header in palettes.items():
        if not _is_increasing(palette):
            raise ValueError(
                f"Task {task!r}: the mask '{header.file}' has a palette of "
                "greys that do not increase with their indices, so that the "
                "classes are ambiguous. Save it as grey values, without a "
                "palette."
            )
        if not longest.palette.startswith(palette):
            raise ValueError(
                f"Task {task!r}: the masks '{header.file}' and "
                f"'{longest.file}' have different palettes, so that one index "
                "may be two classes. Pass the colours of the classes, colors={"
                f"{task!r}: {{'a_class': (255, 0, 0), ...}}}}, or save the "
                "masks as grey values."
            )


def _is_increasing(palette: bytes) -> bool:
    colors = np.frombuffer(palette, "uint8").reshape(-1, 3)
    if len(colors) < 2 or (colors != colors[:, :1]).any():
        return True  # colours have no order
    greys = colors[:, 0].astype(int)
    used = len(greys)
    while used > 2 and greys[used - 1] == 0:
        used -= 1  # padding of the palette
    return bool((np.diff(greys[:used]) >= 0).all())
