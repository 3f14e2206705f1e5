"""Samples with random access, and the streams that read them."""

from __future__ import annotations

import dataclasses
import weakref
from collections.abc import Callable
from typing import Any

import keras
import tensorflow as tf

from mtl_keras.keras_compat import convert_to_sliceable


@dataclasses.dataclass(frozen=True, eq=False)
class IndexedSamples:
    """Samples with random access.

    Args:
        gather: Function from an int64 tensor of indices, of shape `(n,)`, to
            the batch of these samples. `tf.data` traces it.
        count: Integer, number of samples.
    """

    gather: Callable[[tf.Tensor], Any]
    count: int

    @classmethod
    def from_arrays(cls, data: Any) -> IndexedSamples:
        """Creates samples from arrays.

        Args:
            data: Nested structure of arrays with the same number of samples.

        Returns:
            The `IndexedSamples`.

        Raises:
            TypeError: If the arrays are sparse or ragged.
        """
        data = convert_to_sliceable(data, target_backend="tensorflow")
        # A dataset would convert a list to one tensor.
        tensors = keras.tree.lists_to_tuples(
            keras.tree.map_structure(_to_tensor, data)
        )

        def gather(rows):
            return keras.tree.map_structure(
                lambda tensor: tf.gather(tensor, rows), tensors
            )

        return cls(gather, len(keras.tree.flatten(tensors)[0]))


@dataclasses.dataclass(frozen=True, eq=False)
class IndexedStream:
    """The samples of a stream of batches.

    Args:
        samples: The samples, in the order of a pass without shuffling.
        batch_size: Integer, samples per batch; the last may be smaller.
        shuffle: Boolean, whether each pass has another order.
    """

    samples: IndexedSamples
    batch_size: int
    shuffle: bool


_STREAMS: weakref.WeakKeyDictionary[tf.data.Dataset, IndexedStream] = (
    weakref.WeakKeyDictionary()
)


def mark_indexed(
    stream: tf.data.Dataset,
    samples: IndexedSamples,
    batch_size: int,
    shuffle: bool,
) -> tf.data.Dataset:
    """Marks a stream whose samples have random access.

    Training with `BackupAndRestore` then resumes within the stream without
    reading earlier samples. Derived streams (`map`, `repeat`) are not marked.

    Args:
        stream: A `tf.data.Dataset` of batches.
        samples: The samples of the stream.
        batch_size: Integer, samples per batch.
        shuffle: Boolean, whether each pass has another order.

    Returns:
        The stream.
    """
    _STREAMS[stream] = IndexedStream(samples, batch_size, shuffle)
    return stream


def find_indexed(stream: Any) -> IndexedStream | None:
    """Returns the samples of a stream that `mark_indexed` marked.

    Args:
        stream: The argument `x` of `fit`.

    Returns:
        An `IndexedStream`, or `None` for other data.
    """
    if not isinstance(stream, tf.data.Dataset):
        return None
    return _STREAMS.get(stream)


def _to_tensor(array) -> tf.Tensor:
    if isinstance(array, tf.SparseTensor | tf.RaggedTensor) or not (
        hasattr(array, "shape") and hasattr(array, "dtype")
    ):
        raise TypeError(
            f"The data contain a {type(array).__name__}, and training with "
            "BackupAndRestore supports only dense arrays. Pass a "
            "tf.data.Dataset of batches instead."
        )
    return tf.convert_to_tensor(array)
