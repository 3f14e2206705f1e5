"""Makes inputs from columns: numbers as they are, texts one-hot."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from mtl_keras.datasets.reading.column import Column

MOST_CATEGORIES = 100


def encode_inputs(
    columns: Sequence[Column],
) -> tuple[np.ndarray, tuple[str, ...]]:
    """Makes inputs from columns.

    Args:
        columns: The columns. One of numbers is one input, one of texts an
            input for each text, in sorted order: 1 where the sample has it,
            0 elsewhere.

    Returns:
        float32 array of shape `(n, inputs)` and the names of the inputs,
        `"column"` or `"column=text"`.

    Raises:
        ValueError: If a value is missing, is no number among numbers, or a
            column holds more than 100 texts.
    """
    arrays, names = [], []
    for column in columns:
        _check_complete(column)
        if _is_text(column):
            texts = column.values.astype(str)
            categories = _categories(column, texts)
            arrays.append(texts[:, None] == categories)
            names += [f"{column.name}={text}" for text in categories]
        else:
            arrays.append(column.numbers[:, None])
            names.append(column.name)
    return np.hstack(arrays).astype("float32"), tuple(names)


def _check_complete(column: Column) -> None:
    if column.missing.any():
        index = int(np.argmax(column.missing))
        raise ValueError(
            f"`inputs` must be complete, found no value in "
            f"{column.where(index)} ({int(column.missing.sum())} of "
            f"{len(column.missing)} are missing). Fill values in, drop these "
            "samples, or leave the column out."
        )


def _is_text(column: Column) -> bool:
    bad = column.no_number
    if not bad.any():
        return False
    if bad.sum() * 2 >= len(bad):
        return True
    index = int(np.argmax(bad))
    raise ValueError(
        f"`inputs` must hold numbers where most values are, found "
        f"{column.values[index]!r} in {column.where(index)}. Mend it, drop the "
        "sample, or leave the column out."
    )


def _categories(column: Column, texts: np.ndarray) -> np.ndarray:
    categories = np.unique(texts)
    if len(categories) > MOST_CATEGORIES:
        raise ValueError(
            f"`inputs` names {column.name!r}, whose {len(categories)} texts "
            f"({', '.join(map(repr, categories[:3].tolist()))}, ...) are too "
            f"many to encode one-hot; {MOST_CATEGORIES} are the most. Leave "
            "the column out, or turn it into numbers or fewer classes."
        )
    return categories
