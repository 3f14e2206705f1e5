"""Orders in which samples of like length come together."""

from __future__ import annotations

import math

import numpy as np
import tensorflow as tf


def order_by_length(
    lengths: np.ndarray, batch_size: int, seed: int
) -> tf.data.Dataset:
    """Draws batches of samples of like length, other ones each epoch.

    The samples are shuffled, sorted by length and cut into batches, whose
    order is drawn too. What the batch size leaves over is drawn at random
    before, and comes last.

    Args:
        lengths: Integer array of shape `(n,)`, n of 1 or more.
        batch_size: Integer, samples per batch; the last may be smaller.
        seed: Integer, seed of the draws.

    Returns:
        A `tf.data.Dataset` of int64 tensors, which samples a batch holds, with
        a known number of batches.
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

    # Without a full batch there is one order, which draws nothing.
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
    """One element: the numbers below `count`, in another order each epoch."""
    if not count:
        return tf.data.Dataset.from_tensors(tf.zeros((0,), "int64"))
    return tf.data.Dataset.range(count).shuffle(count, seed=seed).batch(count)
