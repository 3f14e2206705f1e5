"""Reads the masks of a task from files when they are needed."""

from __future__ import annotations

import abc
import dataclasses
from collections.abc import Sequence

import numpy as np

from mtl_keras.datasets.reading.image_header import ImageHeader
from mtl_keras.datasets.reading.mask_values import MISSING


class MaskReader(abc.ABC):
    """Reader of the masks of a task, see `GreyMasks` and `ColorMasks`."""

    @abc.abstractmethod
    def read(self, header: ImageHeader, size: tuple[int, int]) -> np.ndarray:
        """Reads a mask.

        Args:
            header: Header of the mask.
            size: `(height, width)` to resize to, by the nearest pixel.

        Returns:
            int32 array of shape `(height, width, 1)`, -1 without a label.

        Raises:
            ValueError: If the file is corrupted, or a value is not a class.
                The error names the file.
        """


@dataclasses.dataclass(frozen=True, eq=False)
class MaskFiles:
    """Masks of a task.

    Args:
        headers: Sequence of the headers of the masks in the order of the
            images, `None` where an image has no mask.
        reader: The `MaskReader`.
    """

    headers: Sequence[ImageHeader | None]
    reader: MaskReader

    def read(self, index: int, size: tuple[int, int]) -> np.ndarray:
        """Reads the mask of an image.

        Args:
            index: Integer, index of the image.
            size: `(height, width)` to resize to, by the nearest pixel.

        Returns:
            int32 array of shape `(height, width, 1)`, -1 without a label.
        """
        header = self.headers[index]
        if header is None:
            return np.full((*size, 1), MISSING, "int32")
        return self.reader.read(header, size)


def check_opaque(task: str, pixels: np.ndarray, header: ImageHeader) -> None:
    """Checks that no pixel of a mask is transparent.

    Args:
        task: Name of the task, for the error.
        pixels: uint8 array whose last channel is the opacity.
        header: Header of the mask.

    Raises:
        ValueError: If a pixel is transparent, so that its class is unclear.
    """
    if pixels[..., -1].min() < 255:
        raise ValueError(
            f"Task {task!r}: found transparent pixels in the mask "
            f"'{header.file}', whose class is unclear. Save it without an "
            "alpha channel."
        )


def resize_nearest(values: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """Resizes values to the nearest pixel.

    Args:
        values: Array of shape `(height, width)`.
        size: `(height, width)` to resize to.

    Returns:
        Array of shape `size`.

    Example:

    >>> from mtl_keras.datasets.reading.mask_files import resize_nearest
    >>> resize_nearest(np.array([[1, 2, 3, 4]]), (2, 2))
    array([[2, 4],
           [2, 4]])
    """
    if values.shape == size:
        return values
    rows, columns = (
        ((np.arange(wanted) + 0.5) * (found / wanted)).astype(int)
        for wanted, found in zip(size, values.shape, strict=True)
    )
    return values[rows].take(columns, axis=1)


def sample_masks(
    headers: Sequence[ImageHeader], count: int
) -> list[ImageHeader]:
    """Chooses a sample of masks.

    Args:
        headers: Sequence of headers.
        count: Integer, maximum size of the sample.

    Returns:
        Half of the sample are the largest files, which show the most, and half
        are spread evenly over the folder.
    """
    if len(headers) <= count:
        return list(headers)
    by_size = sorted(headers, key=lambda header: -header.file_size)
    places = np.linspace(0, len(headers) - 1, count - count // 2).astype(int)
    chosen = [*by_size[: count // 2], *(headers[i] for i in places)]
    return list({header.file: header for header in chosen}.values())
