"""Samples that lie in memory."""

from __future__ import annotations

import dataclasses
from collections.abc import Collection, Iterator
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from mtl_keras.datasets.reading.indexed_batches import indexed_batches
from mtl_keras.datasets.samples import Samples, Targets

_CHUNK = 256
_MOST_ELEMENTS = 2**20


@dataclasses.dataclass(frozen=True, eq=False)
class ArraySource:
    """Makes batches and arrays of samples that lie in memory, once.

    Small numbers stay small until they are asked for: those of fewer than 32
    bits come out as float32; integers of `y` as int32, if they are classes.

    Args:
        x: Array of shape `(n, ...)`, the inputs, or a dict of them. Nobody
            may change it afterwards.
        y: Dict from task name to arrays of shape `(n, ...)`, the targets.
            The same holds for them.
        numbers: Names of the tasks whose targets are numbers and no classes.
            Defaults to `()`.
    """

    x: Any
    y: Targets
    numbers: Collection[str] = ()
    tensors: Any = dataclasses.field(init=False, repr=False)

    def __post_init__(self):
        arrays = self.x, dict(self.y)
        with tf.device("CPU:0"):
            tensors = keras.tree.map_structure(_tensor, arrays)
        # The arrays are views on the tensors, so that the ones which the
        # caller has may go.
        views = keras.tree.map_structure(_view, tensors, arrays)
        for name, value in zip("xy", views, strict=True):
            object.__setattr__(self, name, value)
        object.__setattr__(self, "tensors", tensors)

    def arrays(self, indices: np.ndarray) -> Samples:
        """Returns some samples.

        Args:
            indices: Integer array, which samples.

        Returns:
            `(x, y)`, in the order of `indices`.
        """
        x = keras.tree.map_structure(
            lambda values: _take(values, indices, _input_dtype(values.dtype)),
            self.x,
        )
        return x, self._targets(indices)

    def targets(self, indices: np.ndarray) -> Iterator[Targets]:
        """Returns the targets of some samples, a part at a time.

        Args:
            indices: Integer array, which samples.

        Yields:
            Dicts of arrays.
        """
        largest = max((t[:1].size for t in self.y.values()), default=1)
        size = max(_MOST_ELEMENTS // max(largest, 1), 1)
        for start in range(0, len(indices), size):
            yield self._targets(indices[start : start + size])

    def batches(
        self, indices: np.ndarray, batch_size: int, seed: int | None
    ) -> tf.data.Dataset:
        """Makes batches of some samples.

        Args:
            indices: Integer array, which samples.
            batch_size: Integer, samples per batch; the last may be smaller.
            seed: Integer, seed of the order, which is another one each epoch;
                or `None` for the order of `indices`.

        Returns:
            A `tf.data.Dataset` of `(x, y)` with a known number of batches.
        """
        # One gather a batch costs less than a copy of each sample.
        return indexed_batches(indices, self._batch, batch_size, seed)

    def _batch(self, chosen: tf.Tensor):
        x, y = keras.tree.map_structure(
            lambda tensor: tf.gather(tensor, chosen), self.tensors
        )
        x = keras.tree.map_structure(lambda t: _cast(t, _input_dtype), x)
        return x, {
            name: _cast(tensor, self._dtype_of(name))
            for name, tensor in y.items()
        }

    def _targets(self, indices: np.ndarray) -> Targets:
        return {
            name: _take(values, indices, self._dtype_of(name)(values.dtype))
            for name, values in self.y.items()
        }

    def _dtype_of(self, name: str):
        return _input_dtype if name in self.numbers else _target_dtype


def _tensor(array: np.ndarray) -> tf.Tensor:
    if np.asarray(array).dtype.kind not in "biuf":
        return tf.convert_to_tensor(array)
    # Which makes one copy at most, where the usual conversion makes two.
    return tf.raw_ops.Identity(input=array)


def _view(tensor: tf.Tensor, array: np.ndarray) -> np.ndarray:
    if tensor.dtype == tf.string:
        return np.asarray(array)
    return np.asarray(memoryview(tensor))


def _input_dtype(dtype: np.dtype) -> np.dtype:
    small = dtype.kind in "biuf" and dtype.itemsize < 4
    return np.dtype("float32") if small else dtype


def _target_dtype(dtype: np.dtype) -> np.dtype:
    small = dtype.kind in "biu" and dtype.itemsize < 4
    return np.dtype("int32") if small else _input_dtype(dtype)


def _take(values: np.ndarray, indices: np.ndarray, dtype) -> np.ndarray:
    if values.dtype == dtype:
        return values[indices]
    # Some at a time, or there would be a copy of the small numbers too.
    taken = np.empty((len(indices), *values.shape[1:]), dtype)
    for start in range(0, len(indices), _CHUNK):
        chunk = slice(start, start + _CHUNK)
        taken[chunk] = values[indices[chunk]]
    return taken


def _cast(tensor: tf.Tensor, dtype_of) -> tf.Tensor:
    if tensor.dtype == tf.string:
        return tensor
    return tf.cast(tensor, dtype_of(np.dtype(tensor.dtype.as_numpy_dtype)))
