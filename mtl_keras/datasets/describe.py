"""Describes the labels of a data set before training."""

from __future__ import annotations

import dataclasses
import itertools
import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import tensorflow as tf

from mtl_keras.datasets.description import Description, merge
from mtl_keras.datasets.group_sizes import count_groups
from mtl_keras.datasets.label_counts import LabelCounts
from mtl_keras.datasets.samples import Targets
from mtl_keras.datasets.splits import Splits
from mtl_keras.datasets.streamed_samples import StreamedSamples
from mtl_keras.spelling import did_you_mean
from mtl_keras.tasks import Task

# Number of elements of targets to count at once, to save memory.
_BLOCK = 2**22

_EXPECTED = (
    "(x, y) with y a dict of targets, what load_data() returns, Splits, a "
    "tf.data.Dataset of batches, or a dict of these by part"
)


def describe(data: Any, tasks: Sequence[Task] | None = None) -> Description:
    """Counts the samples, and the labels and missing labels of each task.

    All targets are read once, in parts that fit into memory. -1 (or NaN) after
    the last label of a sequence is padding, and not a missing label.

    Args:
        data: `(x, y)` with y a dict of targets; what `load_data()` returns;
            `Splits`; a `tf.data.Dataset` of batches; or a dict of these by
            part.
        tasks: Sequence of the tasks, which define what labels mean. Defaults
            to `None`: those of `Splits`; otherwise, integers and masks are
            classes, where -1 is a missing label, and floats are numbers, where
            NaN is a missing label.

    Returns:
        A `Description`, which prints as a table. `description.tasks[name]`
        prints every class of a task.

    Raises:
        TypeError: If the data have another form.
        ValueError: If a task has no targets, a label is not a number or class,
            or a stream is infinite.

    Example:

    >>> stage = np.array([0, 1, -1, 1])
    >>> size = np.array([2.0, np.nan, np.nan, 4.0])
    >>> x = np.zeros((4, 3))
    >>> print(mtl_keras.datasets.describe((x, {"stage": stage, "size": size})))
    4 samples
    <BLANKLINE>
    task   kind     labelled  missing  labels
    stage  classes         3   25.0 %  0: 33.3 %, 1: 66.7 %
    size   numbers         2   50.0 %  2 to 4, mean 3
    <BLANKLINE>
    labelled for both  stage  size
    stage                  3     2
    size                   2     2
    """
    if isinstance(data, Splits):
        return _describe_splits(data, data.tasks if tasks is None else tasks)
    if isinstance(data, Mapping):
        return _describe_parts(
            {part: _batches(value) for part, value in data.items()}, tasks
        )
    if _is_pair(data) and all(_is_samples(part) for part in data):
        names = ("train", "test")
        parts = dict(zip(names, map(_batches, data), strict=True))
        return _describe_parts(parts, tasks)
    return _describe(_batches(data), tasks)


def _is_pair(value) -> bool:
    return isinstance(value, tuple | list) and len(value) == 2


def _is_samples(value) -> bool:
    is_tuple = isinstance(value, tuple | list) and len(value) in (2, 3)
    return is_tuple and isinstance(value[1], Mapping)


def _batches(data) -> Iterable[Targets]:
    if isinstance(data, StreamedSamples):
        return data.targets()
    if _is_samples(data):
        return [data[1]]
    if not isinstance(data, tf.data.Dataset):
        raise TypeError(
            f"`data` is a {type(data).__name__}; expected {_EXPECTED}."
        )
    if data.cardinality() == tf.data.INFINITE_CARDINALITY:
        raise ValueError(
            "`data` is an infinite stream. Describe it before repeat()."
        )
    spec = data.element_spec
    if not _is_samples(spec):
        raise TypeError(f"`data` holds {spec}; expected {_EXPECTED}.")
    if any(target.shape.rank == 0 for target in spec[1].values()):
        raise ValueError("`data` holds single samples. Call batch() first.")
    return data.map(lambda *sample: sample[1]).as_numpy_iterator()


def _blocks(y: Mapping) -> Iterator[Targets]:
    """Yields targets block by block, to save memory."""
    arrays = {n: None if t is None else np.asarray(t) for n, t in y.items()}
    there = {n: a for n, a in arrays.items() if a is not None}
    for name, array in there.items():
        if not array.ndim:
            raise ValueError(
                f"`data` has the single label {array} for {name!r}; expected "
                "an array with one label per sample."
            )
    size = max(map(len, there.values()), default=0)
    widest = max((math.prod(a.shape[1:]) for a in there.values()), default=1)
    step = max(1, _BLOCK // max(widest, 1))
    for start in range(0, max(size, 1), step):
        yield {
            name: None if array is None else array[start : start + step]
            for name, array in arrays.items()
        }


def _describe_splits(data: Splits, tasks) -> Description:
    described = {
        part: _describe(data.source.targets(indices), tasks)
        for part, indices in data.indices.items()
        if len(indices)
    }
    if data.groups is not None:
        described = {
            part: dataclasses.replace(
                one, groups=count_groups(data.groups[data.indices[part]])
            )
            for part, one in described.items()
        }
    whole = merge(described)
    if data.groups is None:
        return whole
    held = np.concatenate([*data.indices.values()])
    return dataclasses.replace(whole, groups=count_groups(data.groups[held]))


def _describe_parts(parts: Mapping, tasks) -> Description:
    if not parts:
        raise ValueError("`data` is an empty dict; expected at least one part.")
    described = {
        part: _describe(batches, tasks) for part, batches in parts.items()
    }
    return merge(described)


def _describe(batches: Iterable[Targets], tasks) -> Description:
    counts, together, samples = None, None, 0
    for y in itertools.chain.from_iterable(map(_blocks, batches)):
        if counts is None:
            counts = _counters(y, tasks)
            together = np.zeros((len(counts), len(counts)), int)
        size = max((len(t) for t in y.values() if t is not None), default=0)
        flags = np.stack(
            [count.update(y[count.name], size) for count in counts]
        )
        together += _products(flags)
        samples += size
    if counts is None:
        raise ValueError("`data` has no batches.")
    return Description(
        samples, {c.name: c.describe() for c in counts}, together
    )


def _products(flags: np.ndarray) -> np.ndarray:
    # The product of floats is faster, and exact up to 2**53.
    flags = flags.astype("float64")
    return (flags @ flags.T).astype(int)


def _counters(y: Targets, tasks) -> list[LabelCounts]:
    if tasks is None:
        return [LabelCounts(name, None) for name in y]
    for task in tasks:
        if task.name not in y:
            raise ValueError(
                f"Task {task.name!r} has no targets in the data. "
                f"{did_you_mean(task.name, y)}"
            )
    return [LabelCounts(task.name, task) for task in tasks]
