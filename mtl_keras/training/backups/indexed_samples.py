"""Samples that are found by their index, and the streams that read them so."""

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
    """Samples that are found by their index.

    Args:
        gather: Function from an int64 tensor of shape `(n,)`, the indices, to
            a batch of these samples. `tf.data` traces it.
        count: Integer, number of samples.
    """

    gather: Callable[[tf.Tensor], Any]
    count: int

    @classmethod
    def from_arrays(cls, data: Any) -> IndexedSamples:
        """Makes samples of arrays.

        Args:
            data: Arrays in a nested structure, of as many samples each.

        Returns:
            The `IndexedSamples`.

        Raises:
            TypeError: If the arrays are sparse or ragged.
        """
        data = convert_to_sliceable(data, target_backend="tensorflow")
        # Datasets take a list for one tensor.
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
    """The samples behind a stream of batches.

    Args:
        samples: The samples, in the order of a pass that does not shuffle.
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
    """Marks a stream whose samples can be found by their index.

    A training with `BackupAndRestore` then resumes within it without reading
    what it was trained on. What is derived from the stream (`map`, `repeat`)
    has no mark.

    Args:
        stream: A `tf.data.Dataset` of batches.
        samples: The samples that it reads.
        batch_size: Integer, samples per batch.
        shuffle: Boolean, whether each pass has another order.

    Returns:
        The stream.
    """
    _STREAMS[stream] = IndexedStream(samples, batch_size, shuffle)
    return stream


def find_indexed(stream: Any) -> IndexedStream | None:
    """Returns the samples behind a stream that was marked.

    Args:
        stream: What `fit` was given.

    Returns:
        An `IndexedStream`, or `None` for anything else.
    """
    if not isinstance(stream, tf.data.Dataset):
        return None
    return _STREAMS.get(stream)


def _to_tensor(array) -> tf.Tensor:
    if isinstance(array, tf.SparseTensor | tf.RaggedTensor) or not (
        hasattr(array, "shape") and hasattr(array, "dtype")
    ):
        raise TypeError(
            f"The data hold a {type(array).__name__}, and a training with "
            "BackupAndRestore orders dense arrays alone. Pass a "
            "tf.data.Dataset of batches instead."
        )
    return tf.convert_to_tensor(array)
