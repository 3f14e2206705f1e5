"""Describes the labels of a data set before training."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
import tensorflow as tf

from mtl_keras.datasets.description import Description, merge
from mtl_keras.datasets.label_counts import LabelCounts
from mtl_keras.datasets.samples import Targets
from mtl_keras.datasets.splits import Splits
from mtl_keras.spelling import did_you_mean
from mtl_keras.tasks import Task

_EXPECTED = (
    "(x, y) with y a dict of targets, what load_data() returns, Splits, a "
    "tf.data.Dataset of batches, or a dict of these by part"
)


def describe(data: Any, tasks: Sequence[Task] | None = None) -> Description:
    """Counts samples, labels of each task and what is missing.

    A stream is read once, from its start to its end.

    Args:
        data: `(x, y)` with y a dict of targets; what `load_data()` returns;
            `Splits`; a `tf.data.Dataset` of batches; or a dict from names of
            parts to these.
        tasks: Sequence of the tasks, which say what labels mean. Defaults to
            `None`: those of `Splits`; otherwise integers and masks count as
            classes, where -1 is a missing label, and floats as numbers, where
            NaN is one.

    Returns:
        A `Description`: `print` shows it as a table, and its attributes hold
        the numbers.

    Raises:
        TypeError: If the data is of another form.
        ValueError: If a task has no targets, or a stream has no end.

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
        tasks = data.tasks if tasks is None else tasks
        batches = {
            part: data.source.targets(indices)
            for part, indices in data.indices.items()
        }
        return _describe_parts(batches, tasks)
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
    if _is_samples(data):
        return [data[1]]
    if not isinstance(data, tf.data.Dataset):
        raise TypeError(
            f"`data` is a {type(data).__name__}; expected {_EXPECTED}."
        )
    if data.cardinality() == tf.data.INFINITE_CARDINALITY:
        raise ValueError(
            "`data` is a stream without an end. Describe it before repeat()."
        )
    spec = data.element_spec
    if not _is_samples(spec):
        raise TypeError(f"`data` holds {spec}; expected {_EXPECTED}.")
    if any(target.shape.rank == 0 for target in spec[1].values()):
        raise ValueError("`data` holds single samples. Call batch() first.")
    return data.map(lambda *sample: sample[1]).as_numpy_iterator()


def _describe_parts(parts: Mapping, tasks) -> Description:
    if not parts:
        raise ValueError("`data` is an empty dict; expected a part at least.")
    described = {
        part: _describe(batches, tasks) for part, batches in parts.items()
    }
    return merge(described)


def _describe(batches: Iterable[Targets], tasks) -> Description:
    counts, together, samples = None, None, 0
    for y in batches:
        if counts is None:
            counts = _counters(y, tasks)
            together = np.zeros((len(counts), len(counts)), int)
        size = next((len(t) for t in y.values() if t is not None), 0)
        flags = np.stack(
            [count.update(y[count.name], size) for count in counts]
        ).astype(int)
        together += flags @ flags.T
        samples += size
    if counts is None:
        raise ValueError("`data` holds no batch, so there are no labels.")
    return Description(
        samples, {c.name: c.describe() for c in counts}, together
    )


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
