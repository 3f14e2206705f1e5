"""Functions that run a step over an iterator, on every replica."""

from __future__ import annotations

import weakref
from collections.abc import Callable
from typing import NamedTuple

import keras
import tensorflow as tf

from mtl_keras.distribution.replicas import mean_over_replicas
from mtl_keras.distribution.workers import has_several_workers


def make_function(
    model,
    step: Callable,
    build: Callable,
    held_out: Callable = lambda: None,
    *,
    returns_logs: bool = False,
) -> Callable:
    """Makes the function that `fit` or `evaluate` calls for each execution.

    Args:
        model: The model: its strategy, `run_eagerly`, `jit_compile` and
            `steps_per_execution` count.
        step: Called with a batch, for all replicas at once, and a held-out
            batch or `None`. Returns logs, or `None` for those of the model.
        build: Called with the first batch, or its specification, before a step
            is traced; makes the variables that are still missing. A step that
            makes some itself is traced twice.
        held_out: Returns an endless iterator that is read once a step, or
            `None`.
        returns_logs: Whether the step returns logs of its own. Several steps
            of an execution are then taken one by one.

    Returns:
        A function from an iterator to logs, like those that Keras makes.
    """
    steps_per_execution = model.steps_per_execution
    made = {}
    # The iterator of the last execution, and its functions.
    last = [lambda: None, None]

    def function(iterator):
        in_graph = isinstance(
            iterator, tf.data.Iterator | tf.distribute.DistributedIterator
        )
        if in_graph and (steps_per_execution == 1 or not returns_logs):
            if last[0]() is not iterator:
                build(iterator.element_spec)
                last[:] = (
                    weakref.ref(iterator),
                    _graphs_of(iterator.element_spec),
                )
            graphs = last[1]
            # An argument that is `None` would cost as much as an iterator.
            others = held_out()
            others = () if others is None else (others,)
            if steps_per_execution == 1:
                return graphs.single(iterator, *others)
            done, results = graphs.several(iterator, *others)
            if done == 0:
                raise StopIteration
            return results
        results = None
        for _, data in zip(range(steps_per_execution), iterator, strict=False):
            data = _without_optionals(data)
            build(data)
            results = _graphs_of(data).one(data, _next(held_out()))
        if results is None:
            raise StopIteration
        return results

    def _graphs_of(data) -> _Graphs:
        # One for each rank that data come in: TensorFlow would make one graph
        # of them all, in which no rank is known.
        key = _ranks(data)
        if key not in made:
            made[key] = _make_graphs(model, step)
        return made[key]

    return function


class _Graphs(NamedTuple):
    """Functions of a batch, of an iterator, and of several of its batches."""

    one: Callable
    single: Callable
    several: Callable


def _make_graphs(model, step: Callable) -> _Graphs:
    """Makes the functions that are traced, unless the model runs eagerly."""
    strategy, logs = model.distribute_strategy, _make_logs(model)

    @tf.autograph.experimental.do_not_convert
    def one(data, other):
        found = step(data, other)
        if found is None:
            return logs()
        return tf.nest.map_structure(
            lambda value: strategy.experimental_local_results(value)[0], found
        )

    if not model.run_eagerly:
        one = tf.function(
            one, reduce_retracing=True, jit_compile=model.jit_compile
        )

    @tf.autograph.experimental.do_not_convert
    def single(iterator, *others):
        return one(_without_optionals(iterator.get_next()), _next(*others))

    several = _make_several(one, logs, model.steps_per_execution)
    if not model.run_eagerly:
        several = tf.function(several, reduce_retracing=True)
        single = tf.function(single, reduce_retracing=True)
    return _Graphs(one, single, several)


def _ranks(data) -> tuple:
    """Returns the ranks of a batch, or of the specification of one."""
    leaves = tf.nest.flatten(data, expand_composites=True)
    shapes = [getattr(leaf, "shape", None) for leaf in leaves]
    return tuple(
        None if shape is None else tf.TensorShape(shape).rank
        for shape in shapes
    )


def _make_logs(model) -> Callable:
    """Makes the function that reads the logs of a step."""
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


def _make_several(one: Callable, logs: Callable, steps: int) -> Callable:
    """Makes a function that takes so many steps, or one for each batch."""

    @tf.autograph.experimental.do_not_convert
    def several(iterator, *others):
        def has_next(done, batch):
            return (done < steps) & batch.has_value()

        def body(done, batch):
            one(_without_optionals(batch.get_value()), _next(*others))
            following = tf.cond(
                done + 1 < steps,
                iterator.get_next_as_optional,
                lambda: batch,
            )
            return done + 1, following

        done, _ = tf.while_loop(
            has_next, body, (tf.constant(0), iterator.get_next_as_optional())
        )
        return done, logs()

    return several


def _next(iterator=None):
    return None if iterator is None else iterator.get_next()


def _without_optionals(data):
    """Replaces the optionals by which Keras's streams say `None`."""
    return keras.tree.map_structure(
        lambda leaf: (
            None if isinstance(leaf, tf.experimental.Optional) else leaf
        ),
        data,
    )
