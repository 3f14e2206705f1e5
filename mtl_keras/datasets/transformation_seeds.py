"""Seeds of random transformations that depend on a number, not on state."""

from __future__ import annotations

import keras
import tensorflow as tf


class TransformationSeeds(keras.random.SeedGenerator):
    """Seed generator whose seeds depend on a number, not on state.

    The generator of Keras counts draws in a variable, so that batches made in
    parallel get seeds in a random order. Here, each batch has a number, which
    determines the seeds of all its draws.

    Example:

    >>> seeds = TransformationSeeds()
    >>> seeds.start(np.array([1, 2]))
    >>> first = keras.random.uniform((2,), seed=seeds)
    >>> seeds.start(np.array([1, 2]))
    >>> again = keras.random.uniform((2,), seed=seeds)
    >>> bool(np.array_equal(first, again))
    True
    """

    def __init__(self):
        super().__init__(seed=0)
        self._number = None
        self._draws = 0

    def start(self, number) -> None:
        """Starts the seeds of a number.

        Args:
            number: Integer tensor of shape `(2,)`.
        """
        self._number = tf.cast(number, tf.int32)
        self._draws = 0

    def next(self, ordered: bool = True):
        """Returns the seed of the next draw.

        Args:
            ordered: Has no effect. Defaults to `True`.

        Returns:
            int32 tensor of shape `(2,)`.
        """
        seed = tf.random.experimental.stateless_fold_in(
            self._number, self._draws
        )
        self._draws += 1
        return tf.cast(seed, self.state.dtype)
