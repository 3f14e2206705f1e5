"""Checks that data sets fit together, and joins their targets."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import tensorflow as tf

from mtl_keras.datasets.arguments import check_image_size
from mtl_keras.datasets.mixing.array_data_set import ArrayDataSet
from mtl_keras.datasets.mixing.images import ImageAdaptation
from mtl_keras.datasets.mixing.mixed_splits import (
    check_same_columns,
    read_part,
)
from mtl_keras.datasets.mixing.same_tasks import check_same_tasks
from mtl_keras.datasets.mixing.signature import (
    ArraySpec,
    MixedTarget,
    check_same_inputs,
    mix_targets,
)
from mtl_keras.datasets.mixing.stream_data_set import StreamDataSet
from mtl_keras.datasets.splits import Splits
from mtl_keras.spelling import did_you_mean
from mtl_keras.tasks import Task


@dataclasses.dataclass(frozen=True)
class Mixture:
    """Data sets that fit together.

    Args:
        sources: Dict from the name of a data set to an `ArrayDataSet` or a
            `StreamDataSet`.
        x: `ArraySpec` of the inputs.
        y: Dict from task name to its `MixedTarget`.
    """

    sources: Mapping[str, ArrayDataSet | StreamDataSet]
    x: ArraySpec
    y: Mapping[str, MixedTarget]

    def join(self, labels: Sequence[Mapping[str, Any]], counts) -> dict:
        """Concatenates the targets of several data sets.

        Args:
            labels: Sequence of dicts from task name to a batch of targets,
                tensors.
            counts: Sequence of the numbers of samples of each batch, tensors.

        Returns:
            Dict from the name of each task to its targets, with missing labels
            if a data set does not label it.
        """
        ends = tf.unstack(tf.cumsum(tf.stack([0, *counts])), len(labels) + 1)
        return {
            task: self._join_task(task, target, labels, ends)
            for task, target in self.y.items()
        }

    def _join_task(self, task, target: MixedTarget, labels, ends):
        shape, dtype = target.spec.shape, target.spec.dtype
        pieces, done = [], 0

        def fill(stop: int) -> None:
            # One piece for consecutive data sets without the task.
            if done < stop:
                count = ends[stop] - ends[done]
                missing = tf.cast(target.missing, dtype)
                pieces.append(tf.fill([count, *shape], missing))

        for number, y in enumerate(labels):
            if task in y:
                fill(number)
                pieces.append(tf.cast(y[task], dtype))
                done = number + 1
        fill(len(labels))
        return pieces[0] if len(pieces) == 1 else tf.concat(pieces, axis=0)


def make_mixture(
    datasets: Mapping[str, Any],
    image_size: Sequence[int] | None,
    channels: int | None,
    buffer_size: int = 1,
    *,
    tasks: Mapping[str, Sequence[Task]] | None = None,
    part: str = "train",
    in_memory: bool = False,
) -> Mixture:
    """Reads data sets and checks that they fit together.

    Args:
        datasets: Dict from name to `(x, {task: y})`, `tf.data.Dataset` or
            `Splits`.
        image_size: `(height, width)`, or `None`.
        channels: 1, 3 or `None`.
        buffer_size: Integer, size of the shuffle buffer of each
            `tf.data.Dataset`. Defaults to 1.
        tasks: Dict from the name of a data set to its tasks, in addition to
            those of `Splits`. Defaults to `None`.
        part: Part of `Splits`. Defaults to `"train"`.
        in_memory: Boolean, whether to read streams of `Splits` into memory.
            Defaults to `False`.

    Returns:
        A `Mixture`.

    Raises:
        TypeError: If a value is not a data set.
        ValueError: If the data sets do not fit together.
    """
    if not isinstance(datasets, Mapping) or not datasets:
        found = f"{datasets!r}" if not datasets else f"a {_kind(datasets)}"
        raise TypeError(
            f"`datasets` must be a dict from name to data set, found {found}. "
            "Name each one: {'mnist': (x, {'digit': y}), ...}."
        )
    adaptation = _make_adaptation(image_size, channels)
    check_same_columns(datasets)
    sources = {
        name: _make_source(name, samples, adaptation, buffer_size)
        for name, samples in _read_splits(datasets, part, in_memory).items()
    }
    check_same_tasks(_find_tasks(datasets, sources, tasks or {}))
    signatures = {name: source.signature for name, source in sources.items()}
    return Mixture(
        sources, check_same_inputs(signatures), mix_targets(signatures)
    )


def _read_splits(datasets, part: str, in_memory: bool) -> dict[str, Any]:
    return {
        name: read_part(dataset, part, in_memory)
        if isinstance(dataset, Splits)
        else dataset
        for name, dataset in datasets.items()
    }


def _find_tasks(datasets, sources, given) -> dict[str, Sequence[Task]]:
    """Returns the tasks of each data set for which they are known."""
    found = {
        name: dataset.tasks
        for name, dataset in datasets.items()
        if isinstance(dataset, Splits)
    }
    for name, tasks in given.items():
        if name not in sources:
            raise ValueError(
                f"`tasks` names the data set {name!r}, which does not exist. "
                f"{did_you_mean(name, sources)}"
            )
        labels = sources[name].signature.y
        for task in tasks:
            if task.name not in labels:
                raise ValueError(
                    f"`tasks` has task {task.name!r} of data set {name!r}, "
                    f"which has no targets for it. "
                    f"{did_you_mean(task.name, labels)}"
                )
        found[name] = tuple(tasks)
    return found


def _make_source(name, dataset, adaptation, buffer_size):
    if isinstance(dataset, tf.data.Dataset):
        x, y = _check_pair(name, dataset.element_spec)
        _check_one_input(name, x, isinstance(x, tf.TensorSpec))
        return StreamDataSet(name, dataset, adaptation, buffer_size)
    x, y = _check_pair(name, dataset)
    _check_one_input(name, x, not isinstance(x, Mapping | list | tuple))
    return ArrayDataSet(name, x, y, adaptation)


def _check_pair(name: str, dataset) -> tuple:
    if not isinstance(dataset, tuple) or len(dataset) != 2:
        found = (
            f"a tuple of {len(dataset)}"
            if isinstance(dataset, tuple)
            else f"a {_kind(dataset)}"
        )
        raise TypeError(
            f"Data set {name!r} must be a pair (x, {{task: y}}) of arrays, a "
            f"tf.data.Dataset of such pairs, or Splits; found {found}."
        )
    x, y = dataset
    if not isinstance(y, Mapping) or not y:
        raise TypeError(
            f"Data set {name!r} must name the task of its targets, found "
            f"{'no targets' if y is None else f'a {_kind(y)}'}; expected a "
            "dict such as {'digit': y}."
        )
    for task, targets in y.items():
        kind = _dtype_kind(targets)
        if kind not in "biufV":
            raise TypeError(
                f"Data set {name!r}: task {task!r} has targets that are not "
                "numbers. Encode the classes as integers from 0, for example "
                "with keras.layers.StringLookup."
            )
    return x, y


def _check_one_input(name: str, x, is_one: bool) -> None:
    if not is_one:
        raise TypeError(
            f"Data set {name!r} must have one input, found a {_kind(x)}; "
            "expected an array. Combine several inputs with numpy.stack or "
            "numpy.concatenate."
        )


def _dtype_kind(targets) -> str:
    dtype = targets.dtype if hasattr(targets, "dtype") else np.asarray(targets)
    dtype = getattr(dtype, "as_numpy_dtype", getattr(dtype, "dtype", dtype))
    return getattr(np.dtype(dtype), "kind", "O")


def _make_adaptation(image_size, channels) -> ImageAdaptation:
    image_size = check_image_size(image_size)
    if channels not in (None, 1, 3):
        raise ValueError(
            f"`channels` must be 1, 3 or None, found {channels!r}."
        )
    return ImageAdaptation(image_size, channels)


def _kind(value) -> str:
    return type(value).__name__
