"""Arrays one after another, in one tensor."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import tensorflow as tf


class JoinedArrays:
    """Arrays one after another, in one tensor.

    Args:
        arrays: Sequence of arrays of shape `(n, ...)` that differ in n alone,
            or `None` for those that are left out.
        dtype: The numpy dtype of the tensor. Defaults to `None`: that of the
            first array.
    """

    def __init__(self, arrays: Sequence[np.ndarray | None], dtype=None) -> None:
        there = [array for array in arrays if array is not None]
        ends = np.cumsum([0 if a is None else len(a) for a in arrays])
        begins = [
            -1 if array is None else end - len(array)
            for array, end in zip(arrays, ends, strict=True)
        ]
        # Out of the function that tf.data traces, whose graph would hold all
        # values; and on the CPU, which is where tf.data reads.
        with tf.init_scope(), tf.device("CPU:0"):
            self._begins = tf.constant(begins, tf.int64)
            self._values = tf.convert_to_tensor(
                np.concatenate(there, dtype=dtype, casting="unsafe")
                if len(there) > 1
                else np.asarray(there[0], dtype)
            )

    def holds(self, numbers):
        """Tells which arrays are there.

        Args:
            numbers: Tensor of numbers of arrays, of any shape.

        Returns:
            Boolean tensor of the same shape.
        """
        return tf.gather(self._begins, numbers) >= 0

    def take(self, numbers, rows):
        """Gathers rows.

        Args:
            numbers: Tensor of numbers of arrays, of any shape.
            rows: Tensor of their rows, of a shape that broadcasts to that.

        Returns:
            Tensor of shape `(*numbers.shape, ...)`. Of an array that is left
            out, any row stands in.
        """
        begins = tf.gather(self._begins, numbers)
        places = tf.where(begins < 0, tf.zeros_like(begins), begins + rows)
        return tf.gather(self._values, places)
