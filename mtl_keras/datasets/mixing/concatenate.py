"""Concatenates data sets, each labelled for some tasks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from mtl_keras.datasets.mixing.array_data_set import ArrayDataSet
from mtl_keras.datasets.mixing.mixture import make_mixture
from mtl_keras.datasets.samples import Samples
from mtl_keras.tasks import Task


def concatenate(
    datasets: Mapping[str, Any],
    *,
    image_size: Sequence[int] | None = None,
    channels: int | None = None,
    tasks: Mapping[str, Sequence[Task]] | None = None,
    part: str = "train",
) -> Samples:
    """Concatenates data sets, each labelled for some tasks.

    The arrays are for `evaluate`, for `validation_data` and wherever every
    sample is needed once. `mix` makes a stream to train on.

    Args:
        datasets: Dict from name to a pair `(x, {task: y})` of arrays, or to
            `Splits`.
        image_size: `(height, width)` to resize images to. Defaults to `None`;
            see `mix`.
        channels: 1 or 3, to adapt the channels of images. Defaults to `None`;
            see `mix`.
        tasks: Dict from the name of a data set to the list of its tasks, to
            compare. Defaults to `None`; see `mix`.
        part: String, the part of `Splits` to read. Defaults to `"train"`.

    Returns:
        `(x, y)`: x contains the inputs of all data sets, in the order of the
        dict; y has an array for each task of any data set. If a data set does
        not label a task, its labels are missing: NaN for floats and -1 for
        classes, with a signed dtype.

    Raises:
        TypeError: If a data set is not a pair of arrays.
        ValueError: If the data sets do not fit together.

    Example:

    >>> x, y = mtl_keras.datasets.concatenate(
    ...     {
    ...         "digits": (np.zeros((2, 8)), {"digit": np.array([3, 7])}),
    ...         "loads": (np.ones((1, 8)), {"load": np.array([0.5])}),
    ...     }
    ... )
    >>> y
    {'digit': array([ 3,  7, -1]), 'load': array([nan, nan, 0.5])}
    """
    mixture = make_mixture(
        datasets, image_size, channels, tasks=tasks, part=part, in_memory=True
    )
    for name, source in mixture.sources.items():
        if not isinstance(source, ArrayDataSet):
            raise TypeError(
                f"Data set {name!r} is a tf.data.Dataset; concatenate needs "
                "arrays. Use mix(..., schedule='proportional', shuffle=False), "
                "which yields every sample once."
            )
    sources = mixture.sources.values()
    total = sum(source.size for source in sources)
    x = np.empty((total, *mixture.x.shape), mixture.x.dtype)
    y = {
        task: np.full(
            (total, *target.spec.shape), target.missing, target.spec.dtype
        )
        for task, target in mixture.y.items()
    }
    start = 0
    for source in sources:
        _fill(x[start:], {task: y[task][start:] for task in source.y}, source)
        start += source.size
    return x, y


def _fill(x, y: dict, source: ArrayDataSet, part: int = 1024) -> None:
    """Writes the samples of a data set to the beginning of arrays."""
    if source.signature == source.own:
        x[: source.size] = source.x
        for task, targets in source.y.items():
            y[task][: source.size] = targets
        return
    for start in range(0, source.size, part):
        chunk = slice(start, min(start + part, source.size))
        inputs, targets = source.adapted(chunk)
        x[chunk] = inputs
        for task, values in targets.items():
            y[task][chunk] = values
