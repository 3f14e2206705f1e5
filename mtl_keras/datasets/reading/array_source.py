"""Makes batches of samples in memory."""

from __future__ import annotations

import dataclasses
from collections.abc import Collection, Iterator
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from mtl_keras.datasets.reading.indexed_batches import indexed_batches
from mtl_keras.datasets.reading.source import Source
from mtl_keras.datasets.samples import Samples, Targets

_CHUNK = 256
_MAX_ELEMENTS = 2**20


@dataclasses.dataclass(frozen=True, eq=False)
class ArraySource(Source):
    """Makes batches and arrays of samples in memory, which it stores once.

    Numbers of fewer than 32 bits are stored as they are, and converted when
    they are read: to float32, or to int32 for integer classes of `y`.

    Args:
        x: Array of shape `(n, ...)`, the inputs, or a dict of them. They must
            not be changed afterwards.
        y: Dict from task name to arrays of shape `(n, ...)`, the targets. They
            must not be changed afterwards.
        numbers: Names of the tasks whose targets are numbers instead of
            classes. Defaults to `()`.
    """

    x: Any
    y: Targets
    numbers: Collection[str] = ()
    tensors: Any = dataclasses.field(init=False, repr=False)

    def __post_init__(self):
        arrays = self.x, dict(self.y)
        with tf.device("CPU:0"):
            tensors = keras.tree.map_structure(_tensor, arrays)
        # Views of the tensors, so that the original arrays can be freed.
        views = keras.tree.map_structure(_view, tensors, arrays)
        for name, value in zip("xy", views, strict=True):
            object.__setattr__(self, name, value)
        object.__setattr__(self, "tensors", tensors)

    def arrays(self, indices: np.ndarray) -> Samples:
        x = keras.tree.map_structure(
            lambda values: _take(values, indices, _input_dtype(values.dtype)),
            self.x,
        )
        return x, self._targets(indices)

    def targets(self, indices: np.ndarray) -> Iterator[Targets]:
        largest = max((t[:1].size for t in self.y.values()), default=1)
        size = max(_MAX_ELEMENTS // max(largest, 1), 1)
        for start in range(0, len(indices), size):
            yield self._targets(indices[start : start + size])

    def batches(
        self, indices: np.ndarray, batch_size: int, seed: int | None
    ) -> tf.data.Dataset:
        # One gather per batch is faster than a copy of each sample.
        return indexed_batches(indices, self._batch, batch_size, seed)

    def _batch(self, chosen: tf.Tensor):
        x, y = keras.tree.map_structure(
            lambda tensor: tf.gather(tensor, chosen), self.tensors
        )
        x = keras.tree.map_structure(lambda t: _cast(t, _input_dtype), x)
        return x, {
            name: _cast(tensor, self._get_dtype_rule(name))
            for name, tensor in y.items()
        }

    def _targets(self, indices: np.ndarray) -> Targets:
        return {
            name: _take(
                values, indices, self._get_dtype_rule(name)(values.dtype)
            )
            for name, values in self.y.items()
        }

    def _get_dtype_rule(self, name: str):
        return _input_dtype if name in self.numbers else _target_dtype


def _tensor(array: np.ndarray) -> tf.Tensor:
    if np.asarray(array).dtype.kind not in "biuf":
        return tf.convert_to_tensor(array)
    # Makes one copy at most; the usual conversion makes two.
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
    # In chunks, to avoid a copy with the small dtype.
    taken = np.empty((len(indices), *values.shape[1:]), dtype)
    for start in range(0, len(indices), _CHUNK):
        chunk = slice(start, start + _CHUNK)
        taken[chunk] = values[indices[chunk]]
    return taken


def _cast(tensor: tf.Tensor, dtype_rule) -> tf.Tensor:
    if tensor.dtype == tf.string:
        return tensor
    return tf.cast(tensor, dtype_rule(np.dtype(tensor.dtype.as_numpy_dtype)))
