"""Data set of a mixture that is a `tf.data.Dataset`."""

from __future__ import annotations

import math

import numpy as np
import tensorflow as tf

from mtl_keras.datasets.mixing.images import ImageAdaptation
from mtl_keras.datasets.mixing.signature import ArraySpec, Signature

# TensorFlow's default graph seed.
_GRAPH_SEED = 87654321


class StreamDataSet:
    """Data set of a mixture that is a `tf.data.Dataset` of single samples.

    Args:
        name: Name of the data set, for errors.
        dataset: A `tf.data.Dataset` of `(x, {task: y})`.
        adaptation: The `ImageAdaptation` of its images.
        buffer_size: Integer, size of the shuffle buffer.

    Raises:
        ValueError: If it is empty, or yields batches.
    """

    def __init__(
        self,
        name: str,
        dataset: tf.data.Dataset,
        adaptation: ImageAdaptation,
        buffer_size: int,
    ) -> None:
        x, y = dataset.element_spec
        _check_single(name, x, y)
        self.own = Signature(_spec(x), {t: _spec(s) for t, s in y.items()})
        self.signature = adaptation.signature(name, self.own)
        self.size = _size(name, dataset)
        self._dataset = dataset
        self._adaptation = adaptation
        self._buffer_size = buffer_size

    def chunks(self, counts, epoch, seed, shuffle: bool) -> tf.data.Dataset:
        """Reads the samples of each step of an epoch.

        Args:
            counts: Tensor of shape `(steps,)`, number of samples per step.
            epoch: Tensor, the number of the epoch.
            seed: Tensor of shape `(2,)`, for this epoch and this data set.
            shuffle: Boolean, whether to shuffle.

        Returns:
            A `tf.data.Dataset` of one batch per step, which may be empty.
        """
        max_count = tf.reduce_max(counts)
        samples = self._endless(self._start(counts, epoch), seed, shuffle)
        batches = samples.map(self._adapt).batch(tf.maximum(max_count, 1))
        empty = tf.data.Dataset.from_tensors(self._empty()).repeat()
        steps = tf.data.Dataset.from_tensor_slices(counts)
        chosen = tf.data.Dataset.choose_from_datasets(
            [empty, batches], steps.map(lambda n: tf.cast(n > 0, tf.int64))
        )
        return tf.data.Dataset.zip(chosen, steps).map(
            # Only the last batch of an epoch is cut, so no sample is lost.
            lambda batch, n: tf.nest.map_structure(lambda v: v[:n], batch)
        )

    def _start(self, counts, epoch):
        """Returns the first sample, after those of earlier epochs."""
        total = tf.reduce_sum(counts)
        if self.size is None or self.size == math.inf:
            return epoch * total
        return tf.where(total < self.size, epoch * total % self.size, 0)

    def _endless(self, start, seed, shuffle: bool) -> tf.data.Dataset:
        @tf.autograph.experimental.do_not_convert
        def one_round(number):
            samples = self._dataset.skip(tf.where(number == 0, start, 0))
            if not shuffle:
                return samples
            # Otherwise the order would depend on the global seed, too.
            tf.compat.v1.set_random_seed(_GRAPH_SEED)
            folded = tf.random.experimental.stateless_fold_in(seed, number)
            drawn = tf.random.stateless_uniform(
                (), folded, minval=None, maxval=None, dtype=tf.int64
            )
            return samples.shuffle(
                self._buffer_size,
                seed=drawn,
                reshuffle_each_iteration=False,
            )

        return tf.data.Dataset.range(tf.int64.max).flat_map(one_round)

    def _adapt(self, x, y):
        # One by one, because images may have different sizes.
        batch = tf.nest.map_structure(lambda v: v[None], (x, y))
        adapted = self._adaptation(*batch, self.own)
        return tf.nest.map_structure(lambda v: v[0], adapted)

    def _empty(self) -> tuple:
        return tf.nest.map_structure(
            lambda spec: tf.zeros((0, *spec.shape), spec.dtype),
            (self.signature.x, dict(self.signature.y)),
        )


def _check_single(name: str, x, y) -> None:
    leaves = [x, *y.values()]
    if all(s.shape.rank and s.shape[0] is None for s in leaves):
        raise ValueError(
            f"Data set {name!r} yields batches: inputs of shape {x.shape}; "
            "expected single samples, because mix makes the batches. Pass "
            "dataset.unbatch()."
        )


def _size(name: str, dataset: tf.data.Dataset) -> float | None:
    """Returns the number of samples, infinite or `None` if unknown."""
    cardinality = int(dataset.cardinality())
    if cardinality == tf.data.INFINITE_CARDINALITY:
        return math.inf
    unknown = cardinality == tf.data.UNKNOWN_CARDINALITY
    # An empty data set would be repeated forever.
    if cardinality == 0 or (unknown and not any(True for _ in dataset.take(1))):
        raise ValueError(
            f"Data set {name!r} is empty: the tf.data.Dataset yields no "
            "samples. Leave it out, or check what filters it."
        )
    return None if unknown else cardinality


def _spec(spec: tf.TensorSpec) -> ArraySpec:
    return ArraySpec(tuple(spec.shape), np.dtype(spec.dtype.as_numpy_dtype))
