"""Reads `Splits` as data sets of a mixture."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import tensorflow as tf

from mtl_keras.datasets.reading.array_source import ArraySource
from mtl_keras.datasets.samples import Samples
from mtl_keras.datasets.splits import Splits

# Number of samples to read together, before they are unbatched.
_BATCH = 64


def read_part(
    splits: Splits, part: str, in_memory: bool = False
) -> Samples | tf.data.Dataset:
    """Reads a part, in its order.

    Args:
        splits: The `Splits`.
        part: Name of the part.
        in_memory: Boolean, whether to read a stream into memory. Defaults to
            `False`.

    Returns:
        `(x, y)`, arrays, if the samples are in memory already or `in_memory`
        is true; otherwise a `tf.data.Dataset` of single samples.

    Raises:
        ValueError: If the part does not exist.
    """
    is_array = isinstance(splits.source, ArraySource)
    if is_array or in_memory or part not in splits.indices:
        return splits.arrays(part)
    indices = splits.indices[part]
    stream = splits.source.batches(indices, _BATCH, None).unbatch()
    return stream.apply(tf.data.experimental.assert_cardinality(len(indices)))


def check_same_columns(datasets: Mapping[str, Any]) -> None:
    """Checks that tables have the same input columns and encodings.

    Args:
        datasets: Dict from name to data set. Only `Splits` of tables are
            checked.

    Raises:
        ValueError: If two tables differ.
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
            else f"column {number} is {expected[number]!r} in the first and "
            f"{columns[number]!r} in the second"
        )
        raise ValueError(
            f"Data sets {first!r} and {name!r} have different inputs: {found}. "
            "Read both with the same encoding (from_csv(..., like=data)), or "
            "name the same `inputs` in the same order."
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
                f"Data sets {first!r} and {name!r} encode the same columns "
                "differently: each is standardized on its own. Read one with "
                "the encoding of the other: from_csv(..., like=data)."
            )
