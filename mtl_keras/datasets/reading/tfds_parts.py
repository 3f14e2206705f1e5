"""Finds the parts of a data set of TensorFlow Datasets."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import tensorflow as tf

from mtl_keras.datasets.reading.partition import partition
from mtl_keras.spelling import did_you_mean

# Usual names of validation splits.
VALIDATION_NAMES = ("validation", "valid", "val", "dev")


@dataclasses.dataclass(frozen=True, eq=False)
class StoredPart:
    """Samples of a part, as they are stored.

    Args:
        split: Name of the split that contains them.
        count: Integer, number of samples.
        chosen: Integer array, the samples of the split. Defaults to `None`:
            all samples.
    """

    split: str
    count: int
    chosen: np.ndarray | None = None

    def read(self, builder: Any, **options) -> tf.data.Dataset:
        """Reads the samples.

        Args:
            builder: The `tfds.core.DatasetBuilder`.
            **options: Arguments of its `as_dataset`.

        Returns:
            A `tf.data.Dataset` of the features.
        """
        dataset = builder.as_dataset(split=self.split, **options)
        if self.chosen is None:
            return dataset
        return select_elements(dataset, self.chosen)


def select_elements(
    dataset: tf.data.Dataset, chosen: np.ndarray
) -> tf.data.Dataset:
    """Selects elements of a `tf.data.Dataset`, in its order.

    Args:
        dataset: The `tf.data.Dataset`.
        chosen: Integer array of elements.

    Returns:
        A `tf.data.Dataset` of these elements.
    """
    first, last = int(chosen.min()), int(chosen.max())
    if len(chosen) == last - first + 1:
        return dataset.skip(first).take(len(chosen))
    flags = np.zeros(last + 1, bool)
    flags[chosen] = True
    flags = tf.constant(flags)
    return (
        dataset.take(last + 1)
        .enumerate()
        .filter(lambda number, _: tf.gather(flags, number))
        .map(lambda _, element: element)
        .apply(tf.data.experimental.assert_cardinality(len(chosen)))
    )


def find_parts(
    builder: Any,
    count: Callable[[str], int],
    *,
    train: str,
    validation: float | str,
    test: float | str,
    seed: int,
) -> dict[str, StoredPart]:
    """Finds the parts of a data set, or splits its training part.

    Args:
        builder: The `tfds.core.DatasetBuilder`.
        count: Function from a split to its number of samples.
        train: Name of the split to train on.
        validation: Name of a split; or a fraction of `train`, to use if the
            data set has no validation split.
        test: The same for the test.
        seed: Integer, seed of the random split.

    Returns:
        Dict from `"train"`, `"validation"` and `"test"` to a `StoredPart`,
        without the parts whose fraction is 0.

    Raises:
        TypeError: If one is neither a fraction nor a name.
        ValueError: If a split does not exist, or has too few samples.
    """
    splits = builder.info.splits
    name = f"data set {builder.info.full_name!r}"
    asked = {"validation": validation, "test": test}
    usual = {"validation": VALIDATION_NAMES, "test": ("test",)}
    _check_split("train", train, splits, name)
    named: dict[str, str] = {}
    for part, value in asked.items():
        if isinstance(value, str):
            _check_split(part, value, splits, name)
            named[part] = value
        elif value:
            # `train` may be one of these splits.
            existing = [s for s in usual[part] if s in splits and s != train]
            if existing:
                named[part] = existing[0]
    shares = {part: 0 if part in named else v for part, v in asked.items()}
    total = count(train)
    held = partition(total, seed=seed, source=f"{name}, {train!r}", **shares)
    parts = {
        part: StoredPart(train, len(indices), indices)
        for part, indices in held.items()
    }
    if len(parts) == 1:
        parts = {"train": StoredPart(train, total)}
    elif not builder.info.disable_shuffling:
        # The samples are stored in random order, so that contiguous parts are
        # random, too, and faster to read.
        parts = _make_contiguous(parts, _can_slice(splits, train, total))
    parts |= {part: StoredPart(s, count(s)) for part, s in named.items()}
    return {part: parts[part] for part in ("train", *asked) if part in parts}


def _can_slice(splits: Mapping, split: str, total: int) -> bool:
    # A slice relies on the number of samples that the data set declares.
    return split in splits and splits[split].num_examples == total


def _make_contiguous(parts: Mapping[str, StoredPart], sliced: bool):
    contiguous, end = {}, 0
    for name, part in parts.items():
        begin, end = end, end + part.count
        contiguous[name] = (
            StoredPart(f"{part.split}[{begin}:{end}]", part.count)
            if sliced
            else StoredPart(part.split, part.count, np.arange(begin, end))
        )
    return contiguous


def _check_split(argument: str, split: Any, splits: Mapping, name: str) -> None:
    if not isinstance(split, str) or not split:
        raise TypeError(
            f"`{argument}` must be the name of a split, found {split!r}."
        )
    # `train[:50%]+test` is a split, too.
    for single in split.split("+"):
        known = single.split("[")[0].strip()
        if splits and known not in (*splits, "all"):
            raise ValueError(
                f"`{argument}` names the split {known!r}, which {name} does "
                f"not have. {did_you_mean(known, splits)}"
            )
