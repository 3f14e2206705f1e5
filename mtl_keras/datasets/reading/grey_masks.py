"""Masks whose classes are grey values, or indices of a palette."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import numpy as np

from mtl_keras.datasets.reading.image_header import ImageHeader
from mtl_keras.datasets.reading.image_pixels import read_pixels
from mtl_keras.datasets.reading.mask_files import (
    check_opaque,
    largest_and_spread,
    nearest,
)
from mtl_keras.datasets.reading.mask_values import (
    GreyCoding,
    MaskValues,
    decide_coding,
)
from mtl_keras.datasets.reading.threads import map_in_threads

SAMPLE = 32

_SHOWN_FROM = 500


@dataclasses.dataclass(frozen=True)
class GreyMasks:
    """Reads masks of grey values or indices.

    Args:
        coding: What their values mean.
    """

    coding: GreyCoding

    def read(self, header: ImageHeader, size: tuple[int, int]) -> np.ndarray:
        """Reads a mask.

        Args:
            header: Its header.
            size: `(height, width)` to resize to, by the nearest pixel.

        Returns:
            int32 array of shape `(height, width, 1)`, -1 without a label.

        Raises:
            ValueError: If the file is damaged or does not fit the others. The
                error names it.
        """
        values = _read_values(self.coding.task, header)
        coding = self.coding
        if not coding.plainly_fits(values):
            counts = _counts(values, coding.missing_pixel)
            if _has_bits(header, counts):
                coding = dataclasses.replace(coding, is_cut=False)
            else:
                coding.check(
                    counts, f"'{header.file}'", is_lossy=header.is_jpeg
                )
        return coding.labels(nearest(values, size))[..., None]


def make_grey_masks(
    task: str,
    headers: Sequence[ImageHeader],
    num_classes: int | None,
    missing_pixel: int | None,
) -> GreyMasks:
    """Decides what the values of the masks of a task mean.

    Args:
        task: String, name of the task.
        headers: Headers of all its masks.
        num_classes: Integer, the classes that the caller says, so that a
            sample of the masks is read; or `None` to read all of them.
        missing_pixel: Integer, value of pixels without a label, or `None`.

    Returns:
        The `GreyMasks`.

    Raises:
        ValueError: If a mask cannot hold classes, or their values may mean
            one thing or another.
    """
    for header in headers:
        _check_header(task, header, num_classes)
    _check_palettes(task, headers)
    found = MaskValues()
    if num_classes is None:
        _add_values(task, found, headers, missing_pixel)
    else:
        sample = largest_and_spread(headers, SAMPLE)
        _add_values(task, found, sample, missing_pixel)
        if num_classes == 1 and set(found.all()) <= {0}:
            # Masks of a sample without a foreground say nothing.
            seen = set(map(id, sample))
            rest = [h for h in headers if h.mode != "1" and id(h) not in seen]
            _add_values(task, found, rest, missing_pixel)
    count = len(headers)
    source = "its mask" if count == 1 else f"its {count} masks"
    coding = decide_coding(task, found, num_classes, missing_pixel, source)
    for header in headers:
        _check_header(task, header, coding.num_classes)
    masks = GreyMasks(coding)
    if num_classes is not None:
        # Each file of the sample by itself, so that the error names it.
        map_in_threads(lambda header: masks.read(header, (1, 1)), sample)
    return masks


def _add_values(task, found: MaskValues, headers, missing_pixel) -> None:
    def read(header):
        return _counts(_read_values(task, header), missing_pixel)

    counted = map_in_threads(read, headers, unit="mask", shown_from=_SHOWN_FROM)
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
    """Greys or indices, uint8 of shape `(height, width)`."""
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
                f"'{header.file}', expected grey values, one for each class. "
                "If its colours are classes, name them: pass colors={"
                f"{task!r}: {{'a_class': (255, 0, 0), ...}}}}."
            )
    return values


def _counts(values: np.ndarray, missing_pixel) -> dict[int, int]:
    found = np.bincount(values.ravel(), minlength=256)
    counts = {int(value): int(found[value]) for value in found.nonzero()[0]}
    counts.pop(missing_pixel, None)
    return counts


def _has_bits(header: ImageHeader, counts) -> bool:
    """Whether values are background and foreground, whatever others hold."""
    two_values = header.mode == "1" or header.palette is not None
    return two_values and set(counts) <= {0, 1}


def _check_header(task: str, header: ImageHeader, count: int | None) -> None:
    if count in (1, None):
        return
    wrong = None
    if header.is_jpeg:
        wrong = "jpeg, which changes values,"
    elif header.mode == "L" and header.bits in (2, 4):
        wrong = f"{header.bits} bits per pixel"
    if wrong:
        raise ValueError(
            f"Task {task!r}: found {wrong} in the mask '{header.file}', "
            "expected a png of 8-bit grey values, one for each class."
        )


def _check_palettes(task: str, headers: Sequence[ImageHeader]) -> None:
    """Raises a `ValueError` where one index may be two classes."""
    palettes = {h.palette: h for h in headers if h.palette is not None}
    if not palettes:
        return
    longest = palettes[max(palettes, key=len)]
    for palette, header in palettes.items():
        if not _grows(palette):
            raise ValueError(
                f"Task {task!r}: the mask '{header.file}' has a palette of "
                "greys that do not grow with their indices, so that either may "
                "be the classes. Save it as grey values, without a palette."
            )
        if not longest.palette.startswith(palette):
            raise ValueError(
                f"Task {task!r}: the masks '{header.file}' and "
                f"'{longest.file}' have palettes of other colours, so that an "
                "index may be two classes. Name the colours of the classes, "
                f"colors={{{task!r}: {{'a_class': (255, 0, 0), ...}}}}, or "
                "save the masks as grey values."
            )


def _grows(palette: bytes) -> bool:
    colors = np.frombuffer(palette, "uint8").reshape(-1, 3)
    if len(colors) < 2 or (colors != colors[:, :1]).any():
        return True  # colours, which say nothing of an order
    greys = colors[:, 0].astype(int)
    used = len(greys)
    while used > 2 and greys[used - 1] == 0:
        used -= 1  # what fills the palette up
    return bool((np.diff(greys[:used]) >= 0).all())
