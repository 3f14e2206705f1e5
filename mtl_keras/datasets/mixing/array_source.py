"""A data set in memory, as a mixture reads it."""

from __future__ import annotations

import functools
from collections.abc import Mapping

import numpy as np
import tensorflow as tf

from mtl_keras.datasets.mixing.images import ImageAdaptation
from mtl_keras.datasets.mixing.signature import ArraySpec, Signature


class ArraySource:
    """Arrays, of which whole batches are gathered by index.

    Args:
        name: String, the name of the data set, for errors.
        x: Array of inputs.
        y: Mapping from task name to an array of targets.
        adaptation: What the images go through.

    Raises:
        ValueError: If it is empty, or lengths differ.
    """

    def __init__(
        self, name: str, x, y: Mapping, adaptation: ImageAdaptation
    ) -> None:
        self.x, self.y = np.asarray(x), {t: np.asarray(y[t]) for t in y}
        _check(name, self.x, self.y)
        self.size = len(self.x)
        self.own = Signature(
            _spec(self.x), {t: _spec(values) for t, values in self.y.items()}
        )
        self.signature = adaptation.signature(name, self.own)
        self._adaptation = adaptation

    def chunks(self, counts, epoch, seed, shuffle: bool) -> tf.data.Dataset:
        """Makes the indices of the samples that each step of an epoch takes.

        Args:
            counts: Tensor of shape `(steps,)`, how many each takes.
            epoch: Tensor, the number of the epoch; the seed knows it already.
            seed: Tensor of shape `(2,)`, for this epoch and this data set.
            shuffle: Whether to shuffle.

        Returns:
            A `tf.data.Dataset` of one vector of indices a step.
        """
        del epoch
        total = tf.reduce_sum(counts)
        if shuffle:
            order = _orders(self.size, total, seed)
        else:
            order = tf.range(total) % self.size
        starts = tf.cumsum(counts, exclusive=True)
        steps = tf.data.Dataset.from_tensor_slices((starts, counts))
        return steps.map(lambda start, count: order[start : start + count])

    def take(self, indices) -> tuple:
        """Gathers and adapts samples.

        Args:
            indices: Tensor, a vector of indices.

        Returns:
            `(x, y)`, tensors.
        """
        x, y = tf.nest.map_structure(
            lambda values: tf.gather(values, indices), self._tensors
        )
        return self._adaptation(x, y, self.own)

    @functools.cached_property
    def _tensors(self) -> tuple:
        # Once, outside of the function that tf.data traces, whose graph would
        # hold all values; and on the CPU, which is where tf.data reads.
        with tf.init_scope(), tf.device("CPU:0"):
            return tf.nest.map_structure(tf.convert_to_tensor, (self.x, self.y))


def _orders(size: int, total, seed):
    """Indices in random order, each once before any comes a second time."""
    rounds = -(-total // size)
    keys = tf.random.stateless_uniform((rounds, size), seed, dtype=tf.float64)
    return tf.reshape(tf.argsort(keys), [-1])[:total]


def _spec(array: np.ndarray) -> ArraySpec:
    return ArraySpec(array.shape[1:], array.dtype)


def _check(name: str, x: np.ndarray, y: Mapping[str, np.ndarray]) -> None:
    if x.ndim == 0 or not len(x):
        raise ValueError(
            f"Data set {name!r} is empty: its inputs have the shape {x.shape}. "
            "Leave it out, or pass at least one sample."
        )
    for task, targets in y.items():
        if targets.shape[:1] != x.shape[:1]:
            raise ValueError(
                f"Data set {name!r}: task {task!r} has targets of shape "
                f"{targets.shape} for {len(x)} inputs; expected one for each."
            )
