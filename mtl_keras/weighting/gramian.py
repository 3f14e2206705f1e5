"""Inner products of task gradients, as norms and cosines."""

from __future__ import annotations

from typing import NamedTuple

import tensorflow as tf

# Rounding error of a cosine in float32. Gradients count as parallel if their
# cosine is this close to 1 or -1.
COSINE_EPSILON = 1e-6
# Squared norms below this share of the largest count as zero.
_MIN_SQUARE_RATIO = 1e-30


class Gramian(NamedTuple):
    """A Gramian `G = s^2 D C D` of norms `s D` and cosines `C`.

    All tensors are float64: the matrix is small, and gradients of any scale
    fit without underflow. A task without labels has a zero gradient. Its norm
    is set to 1 and its cosines to 0, so that no division is by zero and it
    does not affect the other tasks. Callers set its weight to 0.

    Args:
        norms: `D`, of shape `(tasks,)`: norms over the largest.
        cosines: `C`, of shape `(tasks, tasks)`, with ones on the diagonal.
        labelled: Booleans of shape `(tasks,)`.
        largest_norm: `s`, a scalar; 1 if no task has labels.
    """

    norms: tf.Tensor
    cosines: tf.Tensor
    labelled: tf.Tensor
    largest_norm: tf.Tensor

    @classmethod
    def from_matrix(cls, gramian) -> Gramian:
        """Splits a matrix of inner products into norms and cosines.

        Args:
            gramian: Finite tensor of shape `(tasks, tasks)`.

        Returns:
            A `Gramian`.
        """
        gramian = tf.cast(gramian, tf.float64)
        squares = tf.linalg.diag_part(gramian)
        largest = tf.reduce_max(squares)
        labelled = squares > largest * _MIN_SQUARE_RATIO
        largest = tf.where(largest > 0, largest, tf.ones_like(largest))
        norms = tf.sqrt(
            tf.where(labelled, squares / largest, tf.ones_like(squares))
        )
        cosines = gramian / largest / norms / norms[:, None]
        both = labelled & labelled[:, None]
        cosines = tf.where(both, cosines, tf.zeros_like(cosines))
        cosines = tf.clip_by_value(cosines, -1.0, 1.0)
        cosines = tf.linalg.set_diag(cosines, tf.ones_like(squares))
        return cls(norms, cosines, labelled, tf.sqrt(largest))

    @property
    def matrix(self):
        """`D C D`: the Gramian over its largest diagonal element."""
        return self.norms * self.cosines * self.norms[:, None]

    @property
    def regularized_cosines(self):
        """The cosines, with a small multiple of the identity added.

        Rounding may leave small negative eigenvalues, along which a quadratic
        form has no minimum.
        """
        return self.cosines + COSINE_EPSILON * tf.eye(
            self.cosines.shape[-1], dtype=tf.float64
        )

    @property
    def mask(self):
        """1 for a task with labels, else 0; of shape `(tasks,)`."""
        return tf.cast(self.labelled, tf.float64)

    @property
    def num_labelled(self):
        """Number of tasks with labels, a float64 scalar of 1 or more."""
        return tf.maximum(tf.reduce_sum(self.mask), 1.0)
