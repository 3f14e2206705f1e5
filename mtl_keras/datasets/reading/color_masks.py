"""Masks whose classes are colours."""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Mapping, Sequence

import numpy as np

from mtl_keras.datasets.reading.grey_masks import SAMPLE
from mtl_keras.datasets.reading.image_header import ImageHeader
from mtl_keras.datasets.reading.image_pixels import read_pixels
from mtl_keras.datasets.reading.mask_files import (
    check_opaque,
    largest_and_spread,
    nearest,
)
from mtl_keras.datasets.reading.mask_values import MISSING
from mtl_keras.datasets.reading.threads import map_in_threads

# More than these are hardly classes that were forgotten.
_FEW_COLORS = 32


@dataclasses.dataclass(frozen=True)
class ColorMasks:
    """Reads masks of colours.

    Args:
        task: String, name of the task, for errors.
        classes: Dict from colour, `(red, green, blue)`, to class; -1 has no
            label.
    """

    task: str
    classes: Mapping[tuple[int, int, int], int]

    def read(self, header: ImageHeader, size: tuple[int, int]) -> np.ndarray:
        """Reads a mask.

        Args:
            header: Its header.
            size: `(height, width)` to resize to, by the nearest pixel.

        Returns:
            int32 array of shape `(height, width, 1)`, -1 without a label.

        Raises:
            ValueError: If the file is damaged, or has a colour of no class.
                The error names both.
        """
        pixels = read_pixels(header, "RGB")
        if header.mode.endswith("A"):
            check_opaque(self.task, read_pixels(header), header)
        codes, classes = self._codes
        found = _codes_of(pixels)
        places = np.searchsorted(codes, found)
        places[places == len(codes)] = 0
        unknown = codes[places] != found
        if unknown.any():
            self._raise(pixels[unknown], header)
        return nearest(classes[places], size)[..., None]

    def _raise(self, pixels: np.ndarray, header: ImageHeader):
        colors, counts = np.unique(pixels, axis=0, return_counts=True)
        color = tuple(colors[counts.argmax()].tolist())
        known = ", ".join(map(str, list(self.classes)[:8]))
        known += ", ..." * (len(self.classes) > 8)
        soft = ""
        if len(colors) > _FEW_COLORS:
            soft = (
                f", one of {len(colors)} such colours: masks with soft edges "
                "have no classes"
            )
        raise ValueError(
            f"Task {self.task!r}: found the colour {color} in {counts.max()} "
            f"pixels of the mask '{header.file}', which is none of its "
            f"classes: {known}{soft}. Add it to `colors`; or pass "
            f"missing_pixel={color}, if it marks pixels without a label."
        )

    @functools.cached_property
    def _codes(self) -> tuple[np.ndarray, np.ndarray]:
        """Codes of the colours, sorted, and the classes they stand for."""
        codes = _codes_of(np.array(list(self.classes), "uint8"))
        order = np.argsort(codes)
        classes = np.array(list(self.classes.values()), "int32")
        return codes[order], classes[order]


def make_color_masks(
    task: str,
    headers: Sequence[ImageHeader],
    classes: Mapping[tuple[int, int, int], int],
    missing_color: tuple[int, int, int] | None,
) -> ColorMasks:
    """Makes what reads the masks of a task, and tries it on a sample.

    Args:
        task: String, name of the task.
        headers: Headers of all its masks.
        classes: Dict from colour to class.
        missing_color: Colour of pixels without a label, or `None`.

    Returns:
        The `ColorMasks`.

    Raises:
        ValueError: If a mask is a JPEG, or one of the sample has a colour of
            no class.
    """
    for header in headers:
        if header.is_jpeg:
            raise ValueError(
                f"Task {task!r}: found jpeg, which changes colours, in the "
                f"mask '{header.file}', expected a png."
            )
    if missing_color is not None:
        classes = {**classes, tuple(missing_color): MISSING}
    masks = ColorMasks(task, classes)
    sample = largest_and_spread(headers, SAMPLE)
    map_in_threads(lambda header: masks.read(header, (1, 1)), sample)
    return masks


def _codes_of(colors: np.ndarray) -> np.ndarray:
    """One number for each colour of the last axis."""
    red, green, blue = np.moveaxis(colors.astype("int32"), -1, 0)
    return (red << 16) | (green << 8) | blue
