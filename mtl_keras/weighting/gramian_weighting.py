"""Base of the methods that need only the Gramian of the task gradients."""

from __future__ import annotations

import tensorflow as tf

from mtl_keras.weighting.gramian import Gramian
from mtl_keras.weighting.weighting import Weighting


class GramianWeighting(Weighting):
    """Base of the methods that need only the Gramian.

    A method defines `solve`. What is the same for all of them is done here: a
    single task has a weight of 1; a task without labels one of 0; and where
    the Gramian is not finite the weights are NaN, so that a step which
    overflowed in mixed precision can be seen and skipped.

    Args:
        name: Name of the weighting.
    """

    def solve(self, losses, gramian: Gramian):
        """Weights two tasks or more.

        Args:
            losses: Float32 tensor of shape `(tasks,)`, or `None` for methods
                that do not read it.
            gramian: A `Gramian`. Where the one that was given is not finite,
                no task is labelled.

        Returns:
            Float64 tensor of shape `(tasks,)`; whatever is finite where a task
            is not labelled.
        """
        raise TypeError(f"{type(self).__name__} solves nothing.")

    def weights(self, losses, gramian):
        gramian = tf.convert_to_tensor(gramian, tf.float32)
        if gramian.shape[0] == 1:
            return tf.ones((1,))
        finite = tf.reduce_all(tf.math.is_finite(gramian))
        zeros = tf.zeros_like(gramian)
        parts = Gramian.of(tf.where(finite, gramian, zeros))
        weights = tf.cast(self.solve(losses, parts), tf.float32)
        weights = tf.where(parts.labelled, weights, zeros[0])
        return tf.where(finite, weights, zeros[0] + float("nan"))
