"""Groups: what samples belong to that must stay in one part."""

from __future__ import annotations

import numpy as np

from mtl_keras.datasets.reading.column import Column


def read_groups(column: Column) -> np.ndarray:
    """Numbers the groups of a column.

    Args:
        column: A column with the same value for all samples of a group.

    Returns:
        Integer array of shape `(n,)`, a number for each group.

    Raises:
        ValueError: If a sample belongs to none.
    """
    if column.missing.any():
        index = int(np.argmax(column.missing))
        raise ValueError(
            f"`group` must say for each sample what it belongs to, found "
            f"nothing in {column.where(index)}. Fill it in, or drop the "
            "sample."
        )
    return np.unique(column.texts().astype(str), return_inverse=True)[1]
