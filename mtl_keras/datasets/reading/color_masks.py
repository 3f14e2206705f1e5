"""Reads masks whose classes are colours."""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Mapping, Sequence

import numpy as np

from mtl_keras.datasets.reading.grey_masks import SAMPLE_SIZE
from mtl_keras.datasets.reading.image_header import ImageHeader
from mtl_keras.datasets.reading.image_pixels import read_pixels
from mtl_keras.datasets.reading.mask_files import (
    MaskReader,
    check_opaque,
    resize_nearest,
    sample_masks,
)
from mtl_keras.datasets.reading.mask_values import MISSING
from mtl_keras.datasets.reading.threads import map_in_threads

# More unknown colours than this are soft edges, not forgotten classes.
_FEW_COLORS = 32


@dataclasses.dataclass(frozen=True)
class ColorMasks(MaskReader):
    """Reader of masks of colours.

    Args:
        task: Name of the task, for errors.
        classes: Dict from colour, `(red, green, blue)`, to class; -1 is a
            missing label.
    """

    task: str
    classes: Mapping[tuple[int, int, int], int]

    def read(self, header: ImageHeader, size: tuple[int, int]) -> np.ndarray:
        pixels = read_pixels(header, "RGB")
        if header.mode.endswith("A"):
            check_opaque(self.task, read_pixels(header), header)
        codes, classes = self._sorted_codes
        found = _encode_colors(pixels)
        places = np.searchsorted(codes, found)
        places[places == len(codes)] = 0
        unknown = codes[places] != found
        if unknown.any():
            raise self._unknown_color(pixels[unknown], header)
        return resize_nearest(classes[places], size)[..., None]

    def _unknown_color(
        self, pixels: np.ndarray, header: ImageHeader
    ) -> ValueError:
        colors, counts = np.unique(pixels, axis=0, return_counts=True)
        color = tuple(colors[counts.argmax()].tolist())
        known = ", ".join(map(str, list(self.classes)[:8]))
        known += ", ..." * (len(self.classes) > 8)
        soft = ""
        if len(colors) > _FEW_COLORS:
            soft = (
                f" There are {len(colors)} such colours: masks of colours must "
                "not have soft edges."
            )
        return ValueError(
            f"Task {self.task!r}: found the colour {color} in {counts.max()} "
            f"pixels of the mask '{header.file}', which is not among its "
            f"classes: {known}.{soft} Add it to `colors`; or pass "
            f"missing_pixel={color} if it marks pixels without a label."
        )

    @functools.cached_property
    def _sorted_codes(self) -> tuple[np.ndarray, np.ndarray]:
        """Codes of the colours, sorted, and their classes."""
        codes = _encode_colors(np.array(list(self.classes), "uint8"))
        order = np.argsort(codes)
        classes = np.array(list(self.classes.values()), "int32")
        return codes[order], classes[order]


def make_color_masks(
    task: str,
    headers: Sequence[ImageHeader],
    classes: Mapping[tuple[int, int, int], int],
    missing_color: tuple[int, int, int] | None,
) -> ColorMasks:
    """Makes the reader of the masks of a task, and checks a sample.

    Args:
        task: Name of the task.
        headers: Headers of all its masks.
        classes: Dict from colour to class.
        missing_color: Colour of pixels without a label, or `None`.

    Returns:
        The `ColorMasks`.

    Raises:
        ValueError: If a mask is a JPEG, or one of the sample contains a colour
            that is not a class.
    """
    for header in headers:
        if header.is_jpeg:
            raise ValueError(
                f"Task {task!r}: found jpeg, whose colours are inexact, in "
                f"the mask '{header.file}', expected a png."
            )
    if missing_color is not None:
        classes = {**classes, tuple(missing_color): MISSING}
    masks = ColorMasks(task, classes)
    sample = sample_masks(headers, SAMPLE_SIZE)
    map_in_threads(lambda header: masks.read(header, (1, 1)), sample)
    return masks


def _encode_colors(colors: np.ndarray) -> np.ndarray:
    """Returns one integer for each colour of the last axis."""
    red, green, blue = np.moveaxis(colors.astype("int32"), -1, 0)
    return (red << 16) | (green << 8) | blue
