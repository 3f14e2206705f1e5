"""Keras's own step, without what Keras puts around it."""

from __future__ import annotations

from collections.abc import Callable

import keras
import tensorflow as tf


def make_function_of_kerass_step(model, step: Callable) -> Callable:
    """Makes what `fit` or `evaluate` calls to take one step of Keras.

    Keras hands the logs of steps over in a `tf.experimental.Optional`, since
    several steps may find no batch. Opening it costs about a millisecond, which
    for one step of a small network is a third of its time; one step needs none.

    Args:
        model: The model, of one replica, not run eagerly: its strategy and its
            `jit_compile` count.
        step: Its `train_step` or `test_step`.

    Returns:
        A function from an iterator to logs, like those that Keras makes.
    """

    @tf.autograph.experimental.do_not_convert
    def on_data(data):
        return model.distribute_strategy.run(step, args=(data,))

    on_data = tf.function(
        on_data, reduce_retracing=True, jit_compile=model.jit_compile
    )

    @tf.autograph.experimental.do_not_convert
    def on_iterator(iterator):
        return on_data(_without_optionals(iterator.get_next()))

    on_iterator = tf.function(on_iterator, reduce_retracing=True)

    def function(iterator):
        if isinstance(
            iterator, tf.data.Iterator | tf.distribute.DistributedIterator
        ):
            return on_iterator(iterator)
        return on_data(_without_optionals(next(iter(iterator))))

    return function


def _without_optionals(data):
    """Keras's streams say `None` by an optional, in inputs or weights."""
    return keras.tree.map_structure(
        lambda leaf: (
            None if isinstance(leaf, tf.experimental.Optional) else leaf
        ),
        data,
    )
