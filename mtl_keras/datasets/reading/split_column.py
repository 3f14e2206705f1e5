"""Parts of a table that a column names."""

from __future__ import annotations

import numpy as np

from mtl_keras.datasets.reading.column import Column

WORDS = {
    "train": "train",
    "training": "train",
    "validation": "validation",
    "valid": "validation",
    "val": "validation",
    "dev": "validation",
    "test": "test",
    "testing": "test",
}


def read_split_column(
    column: Column, needs_train: bool = True
) -> dict[str, np.ndarray]:
    """Reads the part of each row.

    Args:
        column: A column of `"train"`, `"validation"` and `"test"`, or the
            like.
        needs_train: Boolean, whether a row must be for training. Defaults to
            `True`.

    Returns:
        Dict from part to an integer array of rows; the training part is
        always there, and may be empty unless `needs_train`.

    Raises:
        ValueError: If a row names no part, or none is for training.
    """
    names = np.array([str(name).lower() for name in column.names])
    parts = np.array([WORDS.get(name, "") for name in names])
    if (parts == "").any():
        row = int(np.argmax(parts == ""))
        raise ValueError(
            f"`split` must name a part in each row, found "
            f"{str(column.names[row])!r} in {column.where(row)}, expected "
            f"{', '.join(map(repr, WORDS))}."
        )
    if needs_train and not (parts == "train").any():
        raise ValueError(
            f"`split` must name rows to train on, found none in column "
            f"{column.name!r}, only {sorted(set(names.tolist()))}."
        )
    return {
        part: np.flatnonzero(parts == part)
        for part in ("train", "validation", "test")
        if part == "train" or (parts == part).any()
    }
