"""Stores several arrays in one tensor."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import tensorflow as tf


class JoinedArrays:
    """Several arrays, one after another, in one tensor.

    Args:
        arrays: Sequence of arrays of shape `(n, ...)` that differ only in `n`,
            or `None` for an array that is missing.
        dtype: The numpy dtype of the tensor. Defaults to `None`: that of the
            first array.
    """

    def __init__(self, arrays: Sequence[np.ndarray | None], dtype=None) -> None:
        present = [array for array in arrays if array is not None]
        ends = np.cumsum([0 if a is None else len(a) for a in arrays])
        begins = [
            -1 if array is None else end - len(array)
            for array, end in zip(arrays, ends, strict=True)
        ]
        # Outside the graph that tf.data traces, which would contain all
        # values, and on the CPU, where tf.data reads.
        with tf.init_scope(), tf.device("CPU:0"):
            self._begins = tf.constant(begins, tf.int64)
            self._values = tf.convert_to_tensor(
                np.concatenate(present, dtype=dtype, casting="unsafe")
                if len(present) > 1
                else np.asarray(present[0], dtype)
            )

    def contains(self, numbers):
        """Returns which arrays are not missing.

        Args:
            numbers: Tensor of indices of arrays, of any shape.

        Returns:
            Boolean tensor of the same shape.
        """
        return tf.gather(self._begins, numbers) >= 0

    def take(self, numbers, rows):
        """Gathers rows.

        Args:
            numbers: Tensor of indices of arrays, of any shape.
            rows: Tensor of rows, of a shape that broadcasts to that.

        Returns:
            Tensor of shape `(*numbers.shape, ...)`, with arbitrary rows for a
            missing array.
        """
        begins = tf.gather(self._begins, numbers)
        places = tf.where(begins < 0, tf.zeros_like(begins), begins + rows)
        return tf.gather(self._values, places)
