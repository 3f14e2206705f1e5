"""Orders samples so that those of similar length are in one batch."""

from __future__ import annotations

import math

import numpy as np
import tensorflow as tf


def order_by_length(
    lengths: np.ndarray, batch_size: int, seed: int
) -> tf.data.Dataset:
    """Draws batches of samples of similar length, which differ in each epoch.

    The samples are shuffled, sorted by length and cut into batches, which are
    shuffled as well. If the last batch is smaller than the others, its samples
    are drawn at random first.

    Args:
        lengths: Integer array of shape `(n,)`, with n of 1 or more.
        batch_size: Integer, samples per batch; the last may be smaller.
        seed: Integer, seed of the random order.

    Returns:
        A `tf.data.Dataset` of int64 tensors, the samples of each batch, with a
        known number of batches.
    """
    count = len(lengths)
    num_full, rest = divmod(count, batch_size)
    lengths = tf.constant(lengths, "int64")

    def batches(samples, order):
        full = samples[rest:]
        places = tf.argsort(tf.gather(lengths, full), stable=True)
        rows = tf.reshape(tf.gather(full, places), (num_full, batch_size))
        dataset = tf.data.Dataset.from_tensor_slices(tf.gather(rows, order))
        if rest:
            dataset = dataset.concatenate(
                tf.data.Dataset.from_tensors(samples[:rest])
            )
        return dataset

    # Without a full batch, there is nothing to shuffle.
    samples = _permutation(count, seed)
    order = _permutation(num_full, seed)
    return (
        tf.data.Dataset.zip((samples, order))
        .flat_map(batches)
        .apply(
            tf.data.experimental.assert_cardinality(
                math.ceil(count / batch_size)
            )
        )
    )


def _permutation(count: int, seed: int) -> tf.data.Dataset:
    """Returns one element: a permutation of `count`, new in each epoch."""
    if not count:
        return tf.data.Dataset.from_tensors(tf.zeros((0,), "int64"))
    return tf.data.Dataset.range(count).shuffle(count, seed=seed).batch(count)
