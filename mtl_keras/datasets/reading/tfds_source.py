"""Samples of TensorFlow Datasets, read when they are needed."""

from __future__ import annotations

import dataclasses
import functools
import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from mtl_keras.datasets.reading.mask_values import MISSING
from mtl_keras.datasets.reading.tfds_parts import keep
from mtl_keras.datasets.samples import Samples, Targets

_READ_TOGETHER = 64


@dataclasses.dataclass(frozen=True, eq=False)
class ReadPart:
    """The samples of a part, before they are decoded.

    Args:
        count: Integer, number of samples.
        samples: `tf.data.Dataset` of the features of inputs and targets.
        shuffled: The same, its files in another order each time.
        labels: `tf.data.Dataset` of the features of the targets alone.
    """

    count: int
    samples: tf.data.Dataset
    shuffled: tf.data.Dataset
    labels: tf.data.Dataset


@dataclasses.dataclass(frozen=True, eq=False)
class TfdsSource:
    """Makes batches and arrays of samples of TensorFlow Datasets.

    Args:
        parts: Sequence of `ReadPart`s. Their samples are numbered one part
            after the other.
        read_inputs: Function from an example to the inputs.
        read_targets: Function from an example to a dict of targets.
        buffer_size: Integer, of how many samples the next is drawn.
    """

    parts: Sequence[ReadPart]
    read_inputs: Callable[[Mapping], Any]
    read_targets: Callable[[Mapping], dict]
    buffer_size: int

    def batches(
        self, indices: np.ndarray, batch_size: int, seed: int | None
    ) -> tf.data.Dataset:
        """Makes batches of some samples.

        Args:
            indices: Integer array, which samples.
            batch_size: Integer, samples per batch; the last may be smaller.
            seed: Integer, seed of the order, which is another one each epoch;
                or `None` for the order in which they are stored.

        Returns:
            A `tf.data.Dataset` of `(x, y)` with a known number of batches. In
            each, tags are padded with -1 to the longest sequence.
        """
        if seed is None:
            examples = self._examples("samples", indices)
        else:
            examples = self._examples("shuffled", indices)
            # Before they are decoded, many fit into memory.
            buffer_size = min(len(indices), self.buffer_size)
            examples = examples.shuffle(buffer_size, seed=seed)
        samples = _map(examples, self._sample)
        batches = math.ceil(len(indices) / batch_size)
        return (
            _batch(samples, batch_size)
            .apply(tf.data.experimental.assert_cardinality(batches))
            .prefetch(tf.data.AUTOTUNE)
        )

    def arrays(self, indices: np.ndarray) -> Samples:
        """Reads some samples.

        Args:
            indices: Integer array, which samples.

        Returns:
            `(x, y)`, in the order in which they are stored.
        """
        batches = self.batches(indices, _READ_TOGETHER, None)
        x, y = keras.tree.map_structure(
            lambda *parts: _concatenate(parts), *batches.as_numpy_iterator()
        )
        return keras.tree.map_structure(_decode_texts, x), y

    def targets(self, indices: np.ndarray) -> Iterable[Targets]:
        """Reads the targets of some samples, without their inputs.

        Args:
            indices: Integer array, which samples.

        Returns:
            Dicts of arrays, batch by batch.
        """
        examples = self._examples("labels", indices)
        targets = _map(examples, self.read_targets)
        return _batch(targets, _READ_TOGETHER).as_numpy_iterator()

    def _sample(self, example: Mapping):
        return self.read_inputs(example), self.read_targets(example)

    def _examples(self, kind: str, indices: np.ndarray) -> tf.data.Dataset:
        found, begin = [], 0
        for part in self.parts:
            here = indices[(indices >= begin) & (indices < begin + part.count)]
            dataset = getattr(part, kind)
            if len(here) == part.count:
                found.append(dataset)
            elif len(here):
                found.append(keep(dataset, here - begin))
            begin += part.count
        return functools.reduce(lambda a, b: a.concatenate(b), found)


def _map(examples: tf.data.Dataset, read: Callable) -> tf.data.Dataset:
    # Plain TensorFlow, whose errors come as they are.
    read = tf.autograph.experimental.do_not_convert(read)
    return examples.map(read, num_parallel_calls=tf.data.AUTOTUNE)


def _batch(samples: tf.data.Dataset, batch_size: int) -> tf.data.Dataset:
    spec = samples.element_spec
    if all(s.shape.is_fully_defined() for s in tf.nest.flatten(spec)):
        return samples.batch(batch_size)
    # The lengths of sequences of tags alone are open.
    padding = tf.nest.map_structure(
        lambda s: "" if s.dtype == tf.string else tf.cast(MISSING, s.dtype),
        spec,
    )
    return samples.padded_batch(batch_size, padding_values=padding)


def _concatenate(parts: Sequence[np.ndarray]) -> np.ndarray:
    """Puts batches one after another, padded to the longest sequence."""
    shape = np.max([part.shape[1:] for part in parts], axis=0, initial=0)
    shape = tuple(shape.astype(int)) if parts[0].ndim > 1 else ()
    if all(part.shape[1:] == shape for part in parts):
        return np.concatenate(parts)
    rows = sum(map(len, parts))
    whole = np.full((rows, *shape), MISSING, parts[0].dtype)
    end = 0
    for part in parts:
        end += len(part)
        whole[(slice(end - len(part), end), *map(slice, part.shape[1:]))] = part
    return whole


def _decode_texts(values: np.ndarray) -> np.ndarray:
    if values.dtype != object:
        return values
    try:
        texts = [text.decode() for text in values.ravel()]
    except UnicodeDecodeError:
        return values  # these are bytes and no texts
    return np.array(texts, object).reshape(values.shape)
