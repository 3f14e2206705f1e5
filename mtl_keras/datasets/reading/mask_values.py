"""What the pixels of a mask mean."""

from __future__ import annotations

import numpy as np

MISSING = -1


def binary_mask(labels: np.ndarray) -> np.ndarray:
    """Turns a mask of 0 and 255 into one of 0 and 1.

    Args:
        labels: Integer array of any shape; -1 is a pixel without a label.

    Returns:
        int32 array of the same shape, -1 where it was -1.
    """
    return np.where(labels < 0, MISSING, labels > 127).astype("int32")


def inferred_count(labels: np.ndarray, source: str) -> int:
    """Tells how many classes labels count.

    Args:
        labels: Integer array of any shape; -1 is a missing label.
        source: String, what the labels are of, for the error.

    Returns:
        2, or one more than the greatest label.

    Raises:
        ValueError: If most numbers up to the greatest are no label, so that
            they hardly count classes.
    """
    found = np.unique(labels[labels >= 0])
    count = max(2, int(found.max()) + 1)
    if len(found) * 2 < count:
        some = ", ".join(map(str, found[:8])) + (", ..." * (len(found) > 8))
        raise ValueError(
            f"{source}: found the values {some} up to {found.max()}, which "
            "hardly count classes from 0. Number the classes, or say how many "
            "there are with a task (num_classes=1 is a mask that is cut at "
            "the middle of 0 and 255)."
        )
    return count
