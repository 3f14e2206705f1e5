"""Draws the samples that each step of an epoch takes from arrays."""

from __future__ import annotations

from collections.abc import Sequence

import tensorflow as tf


def array_draws(
    sizes: Sequence[int], counts, seeds, *, shuffle: bool, blended: bool
) -> tf.data.Dataset:
    """Draws the samples of an epoch.

    Args:
        sizes: Number of samples of each data set.
        counts: Tensor of shape `(steps, data sets)`, number of samples of
            each data set in each step.
        seeds: Tensor of shape `(data sets, 2)`, for this epoch.
        shuffle: Boolean, whether to shuffle.
        blended: Boolean, whether to spread the samples of each data set evenly
            over a batch, instead of one data set after the other.

    Returns:
        A `tf.data.Dataset` of three vectors per step, with an entry for each
        sample: the index of its data set, its row, and its position in the
        batch, in (0, 1).
    """
    totals = tf.reduce_sum(counts, axis=0)
    order = _orders(tf.constant(sizes, tf.int64), totals, seeds, shuffle)
    begins = tf.cumsum(totals, exclusive=True)
    begins += tf.cumsum(counts, axis=0, exclusive=True)

    @tf.autograph.experimental.do_not_convert
    def draw(begins, counts):
        ends = tf.cumsum(counts)
        numbers = tf.range(ends[-1])
        sets = tf.searchsorted(ends, numbers, side="right")
        within = numbers - tf.gather(ends - counts, sets)
        rows = tf.gather(order, tf.gather(begins, sets) + within)
        positions = _position(within, tf.gather(counts, sets))
        if not blended:
            return sets, rows, positions
        sorting = tf.argsort(positions, stable=True)
        return tuple(tf.gather(v, sorting) for v in (sets, rows, positions))

    return tf.data.Dataset.from_tensor_slices((begins, counts)).map(draw)


def even_positions(count):
    """Spreads the samples of a data set evenly over a batch.

    Args:
        count: Tensor, number of samples.

    Returns:
        float32 tensor of shape `(count,)`, positions in (0, 1).
    """
    return _position(tf.range(count), count)


def _position(number, count):
    return (tf.cast(number, tf.float32) + 0.5) / tf.cast(count, tf.float32)


def _orders(sizes, totals, seeds, shuffle: bool):
    """Returns the rows to take, one data set after the other."""
    number = sizes.shape[0]

    # A loop in the graph, whose size does not grow with the data sets.
    def add(index, orders):
        order = _order(sizes[index], totals[index], seeds[index], shuffle)
        return index + 1, orders.write(index, order)

    orders = tf.TensorArray(
        tf.int64, number, infer_shape=False, element_shape=(None,)
    )
    _, orders = tf.while_loop(
        lambda index, _: index < number, add, (tf.constant(0), orders)
    )
    return orders.concat()


def _order(size, total, seed, shuffle: bool):
    """Returns rows, each of them once before any is repeated."""
    if not shuffle:
        return tf.range(total) % size
    rounds = -(-total // size)
    shape = tf.stack([rounds, size])
    keys = tf.random.stateless_uniform(shape, seed, dtype=tf.float64)
    order = tf.reshape(tf.argsort(keys), [-1])[:total]
    return tf.cast(order, tf.int64)
