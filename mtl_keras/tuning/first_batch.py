"""Reads the first batch of a stream."""

from __future__ import annotations

import keras
import tensorflow as tf


def read_first_batch(stream):
    """Reads the first batch of a stream, from its beginning.

    Args:
        stream: A `tf.data.Dataset`, a `keras.utils.PyDataset`, or another
            iterable of batches.

    Returns:
        A batch, such as `(x, y)`; `None` if there is no batch.
    """
    if isinstance(stream, keras.utils.PyDataset):
        return stream[0]
    if isinstance(stream, tf.data.Dataset):
        stream = stream.take(1)
    return next(iter(stream), None)
