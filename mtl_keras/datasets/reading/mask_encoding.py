"""Converts the values of masks to labels, the same way for all masks."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping

import numpy as np

from mtl_keras.datasets.reading.mask_values import (
    MISSING,
    WHITE,
    are_class_indices,
    list_values,
)

MIDDLE = 127
# A few pixels may be the part of a soft edge that reaches into a picture.
_FEW_PIXELS = 10


@dataclasses.dataclass(frozen=True)
class MaskEncoding:
    """Converts the values of the masks of a task to labels.

    Args:
        task: Name of the task, for errors.
        num_classes: Integer, number of classes; 1 is a binary mask.
        missing_pixel: Integer, value of pixels without a label. Defaults to
            `None`: all pixels have a label.
        is_cut: Boolean, whether the values of a binary mask are black and
            white, which are cut at the middle. Defaults to `False`: they are 0
            and 1.
    """

    task: str
    num_classes: int
    missing_pixel: int | None = None
    is_cut: bool = False

    def encode(self, values: np.ndarray) -> np.ndarray:
        """Converts values to labels.

        Args:
            values: Integer array of any shape. Negative values have no label.

        Returns:
            int32 array of the same shape, -1 without a label.
        """
        labels = (values > MIDDLE if self.is_cut else values).astype("int32")
        if values.dtype.kind == "i":
            labels[values < 0] = MISSING
        if self.missing_pixel is not None:
            labels[values == self.missing_pixel] = MISSING
        return labels

    def is_surely_valid(self, values: np.ndarray) -> bool:
        """Tests a mask faster than `check`, because most masks are valid.

        Args:
            values: uint8 array of any shape.

        Returns:
            Boolean, true only if `check` would find nothing.
        """
        if self.is_cut:
            # Below 0, uint8 wraps around to 255.
            return not (values - np.uint8(1) < MIDDLE).any()
        if self.missing_pixel is not None:
            values = np.where(values == self.missing_pixel, 0, values)
        return bool(values.max(initial=0) < max(self.num_classes, 2))

    def check(
        self, counts: Mapping[int, int], source: str, *, is_lossy: bool = False
    ) -> None:
        """Checks that a mask fits the encoding.

        Args:
            counts: Dict from the values of the mask to their numbers of
                pixels, without pixels that have no label.
            source: Name of the mask, for the error.
            is_lossy: Boolean, whether values may be inexact. Defaults to
                `False`.

        Raises:
            ValueError: If a value is not a class, or the mask has another
                format than the others.
        """
        marked = {value: count for value, count in counts.items() if value}
        if not marked:
            return
        highest = max(marked)
        if not self.is_cut:
            if highest >= max(self.num_classes, 2):
                raise ValueError(self._unknown_class(highest, source))
            return
        if is_lossy:
            return
        if WHITE in marked and are_class_indices(marked):
            raise ValueError(white_beside_classes(self.task, marked, source))
        if highest <= MIDDLE and _has_another_format(marked):
            raise ValueError(
                f"Task {self.task!r}: found {list_values({0, *marked})} in "
                f"{source}, while other masks contain 0 and 255. Save all "
                "masks in the same way."
            )

    def _unknown_class(self, value: int, source: str) -> str:
        if self.num_classes == 1:
            expected = "only 0 and 1, as in other masks"
        else:
            expected = (
                f"classes from 0 to {self.num_classes - 1}, because "
                f"num_classes={self.num_classes}"
            )
        black_and_white = ""
        if value == WHITE and self.num_classes > 1:
            black_and_white = (
                " If the masks are black and white, pass num_classes=1."
            )
        return (
            f"Task {self.task!r}: found {value} in {source}, expected "
            f"{expected}. If it marks pixels without a label, pass "
            f"missing_pixel={value}.{black_and_white}"
        )


def white_beside_classes(task: str, values: Iterable[int], source: str) -> str:
    """Writes the error for a binary mask with 255 beside class indices.

    Args:
        task: Name of the task.
        values: The values of the mask.
        source: Name of the mask.

    Returns:
        The text.
    """
    return (
        f"Task {task!r}: found 255 beside {list_values({0, *values} - {WHITE})}"
        f" in {source}, expected 0 and 1, or 0 and 255, because num_classes=1. "
        "If 255 marks pixels without a label, pass missing_pixel=255; if only "
        "some masks are black and white, save all masks in the same way."
    )


def _has_another_format(marked: Mapping[int, int]) -> bool:
    """Returns whether values are classes, and not part of a soft edge."""
    if set(marked) == {1}:
        return True
    is_visible = sum(marked.values()) >= _FEW_PIXELS
    return is_visible and (len(marked) == 1 or are_class_indices(marked))
