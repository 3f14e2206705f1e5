"""`Splits` as data sets of a mixture."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import tensorflow as tf

from mtl_keras.datasets.reading.array_source import ArraySource
from mtl_keras.datasets.samples import Samples
from mtl_keras.datasets.splits import Splits

# Samples of a stream of batches, which a mixture takes apart again.
_READ_TOGETHER = 64


def samples_of_part(
    splits: Splits, part: str, in_memory: bool = False
) -> Samples | tf.data.Dataset:
    """Takes a part, in its order.

    Args:
        splits: The `Splits`.
        part: String, the name of the part.
        in_memory: Whether to read samples that stream. Defaults to `False`.

    Returns:
        `(x, y)`, arrays, where they lie in memory already or are to;
        otherwise a `tf.data.Dataset` of single samples.

    Raises:
        ValueError: If there is no such part.
    """
    is_read = isinstance(splits.source, ArraySource)
    if is_read or in_memory or part not in splits.indices:
        return splits.arrays(part)
    indices = splits.indices[part]
    stream = splits.source.batches(indices, _READ_TOGETHER, None).unbatch()
    return stream.apply(tf.data.experimental.assert_cardinality(len(indices)))


def check_same_columns(datasets: Mapping[str, Any]) -> None:
    """Checks that tables have the same columns of inputs, by the same codes.

    Args:
        datasets: Dict from name to data set; those that are no `Splits` of
            tables are passed over.

    Raises:
        ValueError: If two differ.
    """
    tables = {
        name: dataset.input_names
        for name, dataset in datasets.items()
        if isinstance(dataset, Splits) and dataset.input_names
    }
    for name, columns in tables.items():
        first, expected = next(iter(tables.items()))
        if columns == expected:
            continue
        pairs = enumerate(zip(expected, columns, strict=False))
        number = next((n for n, (a, b) in pairs if a != b), None)
        found = (
            f"{len(expected)} and {len(columns)} columns"
            if number is None
            else f"column {number} is {expected[number]!r} in the one and "
            f"{columns[number]!r} in the other"
        )
        raise ValueError(
            f"Data sets {first!r} and {name!r} have other inputs: {found}. "
            "Read both by the codes of one (from_csv(..., like=data)), or name "
            "the same `inputs` in one order."
        )
    encodings = {
        name: datasets[name].encoding
        for name in tables
        if datasets[name].encoding is not None
    }
    for name, encoding in encodings.items():
        first, other = next(iter(encodings.items()))
        if not encoding.codes_as(other):
            raise ValueError(
                f"Data sets {first!r} and {name!r} have inputs of the same "
                "columns by other codes: each is standardized by itself. Read "
                "one by the codes of the other: from_csv(..., like=data)."
            )
