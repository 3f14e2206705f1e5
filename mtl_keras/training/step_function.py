"""Runs steps of our own over an iterator, on every replica."""

from __future__ import annotations

from collections.abc import Callable

import tensorflow as tf


def make_step_function(model, step: Callable) -> Callable:
    """Makes what `fit` and `evaluate` call for each execution.

    Args:
        model: The model: its strategy, `run_eagerly`, `jit_compile` and
            `steps_per_execution` count.
        step: Called with a batch, for all replicas at once; returns nothing.

    Returns:
        A function from an iterator to logs, like those that Keras makes.
    """
    steps_per_execution = model.steps_per_execution

    def logs():
        results = model.distribute_strategy.run(model.get_metrics_result)
        # Of one replica, as in Keras: `fit` reads all at the end of an epoch.
        return tf.nest.map_structure(
            lambda value: model.distribute_strategy.experimental_local_results(
                value
            )[0],
            results,
        )

    @tf.autograph.experimental.do_not_convert
    def one(data):
        step(data)
        return logs()

    if not model.run_eagerly:
        one = tf.function(
            one, reduce_retracing=True, jit_compile=model.jit_compile
        )

    @tf.autograph.experimental.do_not_convert
    def several(iterator):
        def go_on(done, batch):
            return (done < steps_per_execution) & batch.has_value()

        def body(done, batch):
            one(batch.get_value())
            following = tf.cond(
                done + 1 < steps_per_execution,
                iterator.get_next_as_optional,
                lambda: batch,
            )
            return done + 1, following

        done, _ = tf.while_loop(
            go_on, body, (tf.constant(0), iterator.get_next_as_optional())
        )
        return done, logs()

    @tf.autograph.experimental.do_not_convert
    def single(iterator):
        return one(iterator.get_next())

    if not model.run_eagerly:
        several = tf.function(several, reduce_retracing=True)
        single = tf.function(single, reduce_retracing=True)

    def function(iterator):
        if not isinstance(
            iterator, tf.data.Iterator | tf.distribute.DistributedIterator
        ):
            for _, data in zip(
                range(steps_per_execution), iterator, strict=False
            ):
                results = one(data)
            return results
        if steps_per_execution == 1:
            return single(iterator)
        done, results = several(iterator)
        if done == 0:
            raise StopIteration
        return results

    return function
