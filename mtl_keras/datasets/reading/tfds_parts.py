"""The parts of a data set of TensorFlow Datasets."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import tensorflow as tf

from mtl_keras.datasets.reading.partition import partition
from mtl_keras.spelling import did_you_mean

# What data sets call their part for validation.
VALIDATION_NAMES = ("validation", "valid", "val", "dev")


@dataclasses.dataclass(frozen=True, eq=False)
class StoredPart:
    """Samples of a part, as they are stored.

    Args:
        split: String, the split of which they are.
        count: Integer, number of samples.
        chosen: Integer array, which samples of the split, or `None` for all.
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
        return dataset if self.chosen is None else keep(dataset, self.chosen)


def keep(dataset: tf.data.Dataset, chosen: np.ndarray) -> tf.data.Dataset:
    """Keeps some elements of a `tf.data.Dataset`, in its order.

    Args:
        dataset: The `tf.data.Dataset`.
        chosen: Integer array, which elements.

    Returns:
        A `tf.data.Dataset` of them.
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
    """Finds the parts of a data set, or holds them back of its training part.

    Args:
        builder: The `tfds.core.DatasetBuilder`.
        count: Function from a split to its number of samples.
        train: String, the split to train on.
        validation: String, a split, or a share of `train`, which serves where
            the data set has no such split.
        test: The same.
        seed: Integer, seed of what is drawn.

    Returns:
        Dict from `"train"`, `"validation"` and `"test"` to a `StoredPart`,
        without those that were not asked for.

    Raises:
        TypeError: If one is neither a share nor a split.
        ValueError: If there is no such split, or too few samples.
    """
    splits = builder.info.splits
    name = f"data set {builder.info.full_name!r}"
    asked = {"validation": validation, "test": test}
    own = {"validation": VALIDATION_NAMES, "test": ("test",)}
    _check_split("train", train, splits, name)
    named: dict[str, str] = {}
    for part, value in asked.items():
        if isinstance(value, str):
            _check_split(part, value, splits, name)
            named[part] = value
        elif value:
            # The split to train on may be any of them.
            there = [s for s in own[part] if s in splits and s != train]
            if there:
                named[part] = there[0]
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
        # Written in random order, a part in one piece is as good, and the
        # others need not be read for it.
        parts = _pieces(parts, _can_slice(splits, train, total))
    parts |= {part: StoredPart(s, count(s)) for part, s in named.items()}
    return {part: parts[part] for part in ("train", *asked) if part in parts}


def _can_slice(splits: Mapping, split: str, total: int) -> bool:
    # A part of a split is counted by what the data set says of itself.
    return split in splits and splits[split].num_examples == total


def _pieces(parts: Mapping[str, StoredPart], sliced: bool):
    pieces, end = {}, 0
    for name, part in parts.items():
        begin, end = end, end + part.count
        pieces[name] = (
            StoredPart(f"{part.split}[{begin}:{end}]", part.count)
            if sliced
            else StoredPart(part.split, part.count, np.arange(begin, end))
        )
    return pieces


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
