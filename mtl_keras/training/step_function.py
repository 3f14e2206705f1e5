"""Runs steps of our own over an iterator, on every replica."""

from __future__ import annotations

from collections.abc import Callable

import tensorflow as tf

from mtl_keras.distribution.replicas import mean_over_replicas
from mtl_keras.distribution.workers import has_several_workers


def make_step_function(
    model, step: Callable, beside: Callable = lambda: None
) -> Callable:
    """Makes what `fit` and `evaluate` call for each execution.

    Args:
        model: The model: its strategy, `run_eagerly`, `jit_compile` and
            `steps_per_execution` count.
        step: Called with a batch, for all replicas at once, and with one of
            what `beside` returns, or `None`; returns nothing.
        beside: Returns an endless iterator that is read once a step, or
            `None`.

    Returns:
        A function from an iterator to logs, like those that Keras makes.
    """
    steps_per_execution = model.steps_per_execution
    logs = _logs_of(model)

    @tf.autograph.experimental.do_not_convert
    def one(data, other):
        step(data, other)
        return logs()

    if not model.run_eagerly:
        one = tf.function(
            one, reduce_retracing=True, jit_compile=model.jit_compile
        )

    @tf.autograph.experimental.do_not_convert
    def single(iterator, others):
        return one(iterator.get_next(), _next_of(others))

    several = _several(one, logs, steps_per_execution)
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
                results = one(data, _next_of(beside()))
            return results
        if steps_per_execution == 1:
            return single(iterator, beside())
        done, results = several(iterator, beside())
        if done == 0:
            raise StopIteration
        return results

    return function


def _logs_of(model) -> Callable:
    """Makes what reads the logs of a step, the same on all replicas."""
    strategy = model.distribute_strategy
    several_workers = has_several_workers(strategy)

    def of_replica():
        results = model.get_metrics_result()
        # Callbacks must decide alike on all workers.
        return mean_over_replicas(results) if several_workers else results

    def logs():
        # Of one replica, as in Keras: `fit` reads all at the end of an epoch.
        return tf.nest.map_structure(
            lambda value: strategy.experimental_local_results(value)[0],
            strategy.run(of_replica),
        )

    return logs


def _several(one: Callable, logs: Callable, steps: int) -> Callable:
    """Makes what takes so many steps, or as many as there are batches."""

    @tf.autograph.experimental.do_not_convert
    def several(iterator, others):
        def go_on(done, batch):
            return (done < steps) & batch.has_value()

        def body(done, batch):
            one(batch.get_value(), _next_of(others))
            following = tf.cond(
                done + 1 < steps,
                iterator.get_next_as_optional,
                lambda: batch,
            )
            return done + 1, following

        done, _ = tf.while_loop(
            go_on, body, (tf.constant(0), iterator.get_next_as_optional())
        )
        return done, logs()

    return several


def _next_of(iterator):
    return None if iterator is None else iterator.get_next()
