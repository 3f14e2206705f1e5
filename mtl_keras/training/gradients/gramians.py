"""Inner products and weighted sums of task gradients."""

from __future__ import annotations

from collections.abc import Sequence

import tensorflow as tf

# Elements of each gradient that are stacked at a time, so that a Gramian
# needs little memory beyond the gradients.
_CHUNK_SIZE = 2**18


def compute_gramian(rows: Sequence[Sequence]):
    """Computes the inner products of task gradients.

    Args:
        rows: For each task, a list of gradients of the same variables; `None`
            is zero.

    Returns:
        Float32 tensor of shape `(tasks, tasks)`.
    """
    total = tf.zeros((len(rows), len(rows)))
    # In reverse: the gradients of the last variables are computed first.
    for column in reversed(list(zip(*rows, strict=True))):
        reached = [index for index, g in enumerate(column) if g is not None]
        if not reached:
            continue
        # Sequentially, or all columns would be in memory at the same time.
        with tf.control_dependencies([total]):
            products = _chunked_gramian(
                [flatten(column[index]) for index in reached]
            )
            if len(reached) < len(rows):
                one_hot = tf.one_hot(reached, len(rows))
                products = tf.matmul(products, one_hot)
                products = tf.matmul(one_hot, products, transpose_a=True)
            total += products
    return total


def _chunked_gramian(vectors: list):
    """Computes the inner products of vectors in chunks."""
    length = vectors[0].shape[0]
    if length is None or length <= _CHUNK_SIZE:
        return _compute_gramian(vectors)
    whole = length - length % _CHUNK_SIZE

    def add_chunk(start, total):
        chunks = [
            tf.slice(vector, [start], [_CHUNK_SIZE]) for vector in vectors
        ]
        return start + _CHUNK_SIZE, total + _compute_gramian(chunks)

    remainder = _compute_gramian([vector[whole:] for vector in vectors])
    _, total = tf.while_loop(
        lambda start, _: start < whole,
        add_chunk,
        (tf.constant(0), remainder),
        parallel_iterations=1,
    )
    return total


def _compute_gramian(vectors: list):
    matrix = tf.stack(vectors)
    return tf.matmul(matrix, matrix, transpose_b=True)


def flatten(gradient):
    """Flattens a gradient to a float32 vector."""
    return tf.reshape(tf.cast(tf.convert_to_tensor(gradient), "float32"), (-1,))


def weighted_sum(rows: Sequence[Sequence], weights) -> list:
    """Computes the weighted sum of task gradients.

    Args:
        rows: See `compute_gramian`.
        weights: Tensor of shape `(tasks,)`.

    Returns:
        A list of one gradient per variable; `None` where all are `None`.
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
