"""Functions that run training or test steps over an iterator."""

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
    """Creates the function that `fit` or `evaluate` calls per execution.

    Args:
        model: The model. Its strategy, `run_eagerly`, `jit_compile` and
            `steps_per_execution` apply.
        step: Function of a batch, for all replicas, and a held-out batch or
            `None`. Returns logs, or `None` for the logs of the model.
        build: Function of the first batch, or its `element_spec`, that creates
            the missing variables before a step is traced. A step that creates
            variables itself is traced twice.
        held_out: Function that returns an endless iterator, which each step
            reads once, or `None`.
        returns_logs: Whether the step returns custom logs. The steps of an
            execution then run one by one.

    Returns:
        A function from an iterator to logs, as Keras creates it.
    """
    steps_per_execution = model.steps_per_execution
    cache = {}
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
                    get_functions(iterator.element_spec),
                )
            functions = last[1]
            # An argument that is `None` would cost as much as an iterator.
            others = held_out()
            others = () if others is None else (others,)
            if steps_per_execution == 1:
                return functions.one_step(iterator, *others)
            num_steps, results = functions.multi_step(iterator, *others)
            if num_steps == 0:
                raise StopIteration
            return results
        results = None
        for _, data in zip(range(steps_per_execution), iterator, strict=False):
            data = _replace_optionals(data)
            build(data)
            functions = get_functions(data)
            results = functions.batch_step(data, _next_batch(held_out()))
        if results is None:
            raise StopIteration
        return results

    def get_functions(data) -> _StepFunctions:
        # One per rank of the data: TensorFlow would relax the ranks into one
        # graph in which no rank is known.
        key = _get_ranks(data)
        if key not in cache:
            cache[key] = _make_step_functions(model, step)
        return cache[key]

    return function


class _StepFunctions(NamedTuple):
    """The functions of one set of ranks.

    Args:
        batch_step: Runs a step on a batch.
        one_step: Runs a step on the next batch of an iterator.
        multi_step: Runs several steps on an iterator.
    """

    batch_step: Callable
    one_step: Callable
    multi_step: Callable


def _make_step_functions(model, step: Callable) -> _StepFunctions:
    """Creates the functions, as graphs unless the model runs eagerly."""
    strategy, read_logs = model.distribute_strategy, _make_read_logs(model)

    @tf.autograph.experimental.do_not_convert
    def batch_step(data, held_out):
        logs = step(data, held_out)
        if logs is None:
            return read_logs()
        return tf.nest.map_structure(
            lambda value: strategy.experimental_local_results(value)[0], logs
        )

    if not model.run_eagerly:
        batch_step = tf.function(
            batch_step, reduce_retracing=True, jit_compile=model.jit_compile
        )

    @tf.autograph.experimental.do_not_convert
    def one_step(iterator, *others):
        data = _replace_optionals(iterator.get_next())
        return batch_step(data, _next_batch(*others))

    multi_step = _make_multi_step(
        batch_step, read_logs, model.steps_per_execution
    )
    if not model.run_eagerly:
        multi_step = tf.function(multi_step, reduce_retracing=True)
        one_step = tf.function(one_step, reduce_retracing=True)
    return _StepFunctions(batch_step, one_step, multi_step)


def _get_ranks(data) -> tuple:
    """Returns the ranks of a batch, or of its `element_spec`."""
    leaves = tf.nest.flatten(data, expand_composites=True)
    shapes = [getattr(leaf, "shape", None) for leaf in leaves]
    return tuple(
        None if shape is None else tf.TensorShape(shape).rank
        for shape in shapes
    )


def _make_read_logs(model) -> Callable:
    """Creates the function that reads the logs of a step."""
    strategy = model.distribute_strategy
    several_workers = has_several_workers(strategy)

    def read_on_replica():
        results = model.get_metrics_result()
        # Callbacks must make the same decision on all workers.
        return mean_over_replicas(results) if several_workers else results

    def read_logs():
        # The first replica, as in Keras: `fit` reads all at the epoch's end.
        return tf.nest.map_structure(
            lambda value: strategy.experimental_local_results(value)[0],
            strategy.run(read_on_replica),
        )

    return read_logs


def _make_multi_step(
    batch_step: Callable, read_logs: Callable, steps: int
) -> Callable:
    """Creates a function that runs `steps` steps, or fewer at the end."""

    @tf.autograph.experimental.do_not_convert
    def multi_step(iterator, *others):
        def has_next(count, batch):
            return (count < steps) & batch.has_value()

        def body(count, batch):
            data = _replace_optionals(batch.get_value())
            batch_step(data, _next_batch(*others))
            next_batch = tf.cond(
                count + 1 < steps,
                iterator.get_next_as_optional,
                lambda: batch,
            )
            return count + 1, next_batch

        count, _ = tf.while_loop(
            has_next, body, (tf.constant(0), iterator.get_next_as_optional())
        )
        return count, read_logs()

    return multi_step


def _next_batch(iterator=None):
    return None if iterator is None else iterator.get_next()


def _replace_optionals(data):
    """Replaces the optionals that stand for `None` in Keras's datasets."""
    return keras.tree.map_structure(
        lambda leaf: (
            None if isinstance(leaf, tf.experimental.Optional) else leaf
        ),
        data,
    )
