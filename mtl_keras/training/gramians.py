"""Rows of task gradients: their inner products and weighted sums."""

from __future__ import annotations

from collections.abc import Sequence

import tensorflow as tf


def gramian_of(rows: Sequence[Sequence]):
    """Makes the inner products of rows of tensors.

    Args:
        rows: For each task a list of gradients, in the same order of shapes;
            `None` is zero.

    Returns:
        Float32 tensor of shape `(tasks, tasks)`.
    """
    total = tf.zeros((len(rows), len(rows)))
    for column in zip(*rows, strict=True):
        found = [flat(gradient) for gradient in column if gradient is not None]
        if not found:
            continue
        empty = tf.zeros_like(found[0])
        remaining = iter(found)
        matrix = tf.stack(
            [empty if g is None else next(remaining) for g in column]
        )
        total += tf.matmul(matrix, matrix, transpose_b=True)
    return total


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
