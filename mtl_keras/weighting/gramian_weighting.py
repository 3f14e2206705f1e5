"""Base class of methods that need only the Gramian of the task gradients."""

from __future__ import annotations

import tensorflow as tf

from mtl_keras.weighting.gramian import Gramian
from mtl_keras.weighting.weighting import Weighting


class GramianWeighting(Weighting):
    """Base class of methods that need only the Gramian.

    A method implements `solve`. This class handles what all methods share: a
    single task gets a weight of 1, and a task without labels a weight of 0. If
    the Gramian is not finite, the weights are NaN, so that the training loop
    can skip a step that overflowed in mixed precision.

    Args:
        name: Name of the weighting.
    """

    def solve(self, losses, gramian: Gramian):
        """Computes the weights of two or more tasks.

        Args:
            losses: Float32 tensor of shape `(tasks,)`, or `None` for methods
                that do not read it.
            gramian: A `Gramian`. No task is labelled if the original matrix
                is not finite.

        Returns:
            Float64 tensor of shape `(tasks,)`, with any finite value for a
            task that is not labelled.
        """
        raise TypeError(
            f"{type(self).__name__} does not implement solve(losses, gramian)."
        )

    def weights(self, losses, gramian):
        gramian = tf.convert_to_tensor(gramian, tf.float32)
        if gramian.shape[0] == 1:
            return tf.ones((1,))
        finite = tf.reduce_all(tf.math.is_finite(gramian))
        zeros = tf.zeros_like(gramian)
        parts = Gramian.from_matrix(tf.where(finite, gramian, zeros))
        weights = tf.cast(self.solve(losses, parts), tf.float32)
        weights = tf.where(parts.labelled, weights, zeros[0])
        return tf.where(finite, weights, zeros[0] + float("nan"))
