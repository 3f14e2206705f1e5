"""Collects the values that the masks of a task contain."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable

import numpy as np

MISSING = -1
WHITE = 255


@dataclasses.dataclass
class MaskValues:
    """Values that masks contain, each with the mask where it was found.

    Args:
        greys: Dict from grey value to the name of a mask.
        lossy: The same for JPEG files, whose values are inexact.
        indices: The same for palette indices, which number the classes.
        has_bits: Boolean, whether some masks contain only 0 and 1 by their
            format, background and foreground. Defaults to `False`.
    """

    greys: dict[int, str] = dataclasses.field(default_factory=dict)
    lossy: dict[int, str] = dataclasses.field(default_factory=dict)
    indices: dict[int, str] = dataclasses.field(default_factory=dict)
    has_bits: bool = False

    @property
    def exact(self) -> dict[int, str]:
        """Dict of all values that are exact, each with a mask."""
        return {**self.indices, **self.greys}

    @property
    def all(self) -> dict[int, str]:
        """Dict of all values except those of bits, each with a mask."""
        return {**self.lossy, **self.exact}


def are_class_indices(values: Iterable[int]) -> bool:
    """Returns whether values are 1, 2, ... without a gap, 0 and 255 aside.

    Args:
        values: Integers, in any order.

    Returns:
        Boolean, false if there are no values besides 0 and 255.
    """
    inner = set(values) - {0, WHITE}
    return bool(inner) and inner == set(range(1, len(inner) + 1))


def infer_num_classes(labels: np.ndarray, source: str) -> int:
    """Infers the number of classes from labels.

    Args:
        labels: Integer array of any shape; -1 is a missing label.
        source: Description of the labels, for the error.

    Returns:
        The largest label plus 1, but at least 2.

    Raises:
        ValueError: If most integers up to the largest label do not occur, so
            that the labels are probably not class indices.
    """
    found = np.unique(labels[labels >= 0])
    count = max(2, int(found.max()) + 1)
    if len(found) * 2 < count:
        raise ValueError(
            f"{source}: found the values {list_values(found.tolist())} up to "
            f"{found.max()}, which are probably not class indices from 0. "
            "Number the classes, or pass their number with a task "
            "(num_classes=1 is a mask that is cut at the middle of 0 and 255). "
            f"If {found.max()} marks what has no label, replace it by -1, or "
            f"pass missing_pixel={found.max()} for masks."
        )
    return count


def list_values(values: Iterable[int]) -> str:
    """Lists the first values, in order.

    Args:
        values: Integers.

    Returns:
        String, such as `"0, 1, 255"`.
    """
    ordered = sorted(values)
    return ", ".join(map(str, ordered[:8])) + ", ..." * (len(ordered) > 8)
