"""Reads samples of TensorFlow Datasets when they are needed."""

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
from mtl_keras.datasets.reading.source import Source
from mtl_keras.datasets.reading.tfds_parts import select_elements
from mtl_keras.datasets.samples import Samples, Targets

_BATCH = 64


@dataclasses.dataclass(frozen=True, eq=False)
class PartStreams:
    """Streams of the samples of a part, before they are decoded.

    Args:
        count: Integer, number of samples.
        samples: `tf.data.Dataset` of the features of inputs and targets.
        shuffled: The same with shuffled files.
        labels: `tf.data.Dataset` of the features of the targets only.
    """

    count: int
    samples: tf.data.Dataset
    shuffled: tf.data.Dataset
    labels: tf.data.Dataset


@dataclasses.dataclass(frozen=True, eq=False)
class TfdsSource(Source):
    """Makes batches and arrays of samples of TensorFlow Datasets.

    Args:
        parts: Sequence of `PartStreams`. Their samples are numbered one part
            after the other.
        read_inputs: Function from an example to the inputs.
        read_targets: Function from an example to a dict of targets.
        buffer_size: Integer, size of the shuffle buffer in samples.
    """

    parts: Sequence[PartStreams]
    read_inputs: Callable[[Mapping], Any]
    read_targets: Callable[[Mapping], dict]
    buffer_size: int

    def batches(
        self, indices: np.ndarray, batch_size: int, seed: int | None
    ) -> tf.data.Dataset:
        if seed is None:
            examples = self._examples("samples", indices)
        else:
            examples = self._examples("shuffled", indices)
            # Shuffled before decoding, because more encoded samples fit.
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
        batches = self.batches(indices, _BATCH, None)
        x, y = keras.tree.map_structure(
            lambda *parts: _concatenate(parts), *batches.as_numpy_iterator()
        )
        return keras.tree.map_structure(_decode_strings, x), y

    def targets(self, indices: np.ndarray) -> Iterable[Targets]:
        examples = self._examples("labels", indices)
        targets = _map(examples, self.read_targets)
        return _batch(targets, _BATCH).as_numpy_iterator()

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
                found.append(select_elements(dataset, here - begin))
            begin += part.count
        return functools.reduce(lambda a, b: a.concatenate(b), found)


def _map(examples: tf.data.Dataset, read: Callable) -> tf.data.Dataset:
    # Without AutoGraph, errors keep their text.
    read = tf.autograph.experimental.do_not_convert(read)
    return examples.map(read, num_parallel_calls=tf.data.AUTOTUNE)


def _batch(samples: tf.data.Dataset, batch_size: int) -> tf.data.Dataset:
    spec = samples.element_spec
    if all(s.shape.is_fully_defined() for s in tf.nest.flatten(spec)):
        return samples.batch(batch_size)
    # Only tags have unknown lengths.
    padding = tf.nest.map_structure(
        lambda s: "" if s.dtype == tf.string else tf.cast(MISSING, s.dtype),
        spec,
    )
    return samples.padded_batch(batch_size, padding_values=padding)


def _concatenate(parts: Sequence[np.ndarray]) -> np.ndarray:
    """Concatenates batches, padded to the longest sequence."""
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


def _decode_strings(values: np.ndarray) -> np.ndarray:
    if values.dtype != object:
        return values
    try:
        strings = [value.decode() for value in values.ravel()]
    except UnicodeDecodeError:
        return values  # bytes, not UTF-8
    return np.array(strings, object).reshape(values.shape)
