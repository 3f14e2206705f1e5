"""Rows of task gradients: their inner products and weighted sums."""

from __future__ import annotations

from collections.abc import Sequence

import tensorflow as tf

# Numbers of each gradient that are laid side by side at a time, so that a
# Gramian takes next to no memory beside the gradients themselves.
_PART = 2**18


def gramian_of(rows: Sequence[Sequence]):
    """Makes the inner products of rows of tensors.

    Args:
        rows: For each task a list of gradients, in the same order of shapes;
            `None` is zero.

    Returns:
        Float32 tensor of shape `(tasks, tasks)`.
    """
    total = tf.zeros((len(rows), len(rows)))
    # From the last, whose gradient is there first.
    for column in reversed(list(zip(*rows, strict=True))):
        reached = [index for index, g in enumerate(column) if g is not None]
        if not reached:
            continue
        # One after the other, or all would be laid out at the same time.
        with tf.control_dependencies([total]):
            products = _products([flat(column[index]) for index in reached])
            if len(reached) < len(rows):
                places = tf.one_hot(reached, len(rows))
                products = tf.matmul(products, places)
                products = tf.matmul(places, products, transpose_a=True)
            total += products
    return total


def _products(vectors: list):
    """Inner products of vectors of one length."""
    length = vectors[0].shape[0]
    if length is None or length <= _PART:
        return _square(vectors)
    whole = length - length % _PART

    def add_part(start, total):
        parts = [tf.slice(vector, [start], [_PART]) for vector in vectors]
        return start + _PART, total + _square(parts)

    _, total = tf.while_loop(
        lambda start, _: start < whole,
        add_part,
        (tf.constant(0), _square([vector[whole:] for vector in vectors])),
        parallel_iterations=1,
    )
    return total


def _square(vectors: list):
    matrix = tf.stack(vectors)
    return tf.matmul(matrix, matrix, transpose_b=True)


def flat(gradient):
    """Lays a gradient out as a float32 vector."""
    return tf.reshape(tf.cast(tf.convert_to_tensor(gradient), "float32"), (-1,))


def weighted_sum(rows: Sequence[Sequence], weights) -> list:
    """Sums rows of tensors, weighted.

    Args:
        rows: See `gramian_of`.
        weights: Tensor of shape `(tasks,)`.

    Returns:
        A list as long as a row; `None` where no row has a gradient.
    """
    sums = []
    for column in zip(*rows, strict=True):
        terms = [
            gradient * tf.cast(weight, gradient.dtype)
            for weight, gradient in zip(
                tf.unstack(weights), column, strict=True
            )
            if gradient is not None
        ]
        sums.append(tf.add_n(terms) if terms else None)
    return sums
