"""Checks of streams: what their specification says, then their first batch."""

from __future__ import annotations

import contextlib
import itertools
from collections.abc import Callable

import keras
import tensorflow as tf

from mtl_keras.training.data.checks import check_data
from mtl_keras.training.data.target_checks import (
    check_target_shape,
    pair_with_tasks,
)


def is_stream(x) -> bool:
    """Tells whether `fit` would read `x` batch by batch.

    Args:
        x: What the user passed as `x`.
    """
    if isinstance(x, tf.data.Dataset | tf.distribute.DistributedDataset):
        return True
    if isinstance(x, keras.utils.PyDataset):
        return True
    # Generators, torch and grain loaders: anything that is no array.
    leaves = keras.tree.flatten(x)
    return bool(leaves) and not any(hasattr(leaf, "shape") for leaf in leaves)


def can_shuffle(x) -> bool:
    """Whether Keras can shuffle inputs; of others it would warn each time.

    Args:
        x: What the user passed as `x`.
    """
    return isinstance(x, keras.utils.PyDataset) or not is_stream(x)


def check_specification(model, x) -> None:
    """Checks what a `tf.data.Dataset` says of its batches.

    Args:
        model: A `MultiTaskModel`.
        x: A stream. One that is no `tf.data.Dataset` says nothing.

    Raises:
        TypeError: If the dataset yields no targets, or no dict of them.
        ValueError: If names or shapes of the targets do not fit.
    """
    if not isinstance(x, tf.data.Dataset):
        return
    _, y, _ = keras.utils.unpack_x_y_sample_weight(x.element_spec)
    for task, spec in pair_with_tasks(y, model.tasks).items():
        shape = getattr(spec, "shape", None)
        if shape is None or shape.rank is None:
            continue
        output_shape = model.task_output_shapes[task.name]
        check_target_shape(task, tuple(shape), output_shape)


def check_first_batch(function: Callable, model, mode: str) -> Callable:
    """Wraps a Keras train or test function so that it checks a first batch.

    The batch is taken from the iterator that training reads and then handed
    on, so no stream is started twice and no random order changes. It is
    checked once.

    Args:
        function: What `make_train_function` or `make_test_function` made.
        model: The `MultiTaskModel`.
        mode: `"train"` or `"test"`, which errors name.

    Returns:
        A function of an iterator, like `function`.
    """

    unchecked = [True]

    def checked(iterator):
        if not unchecked:
            return function(iterator)
        unchecked.clear()
        batches = _take(iterator, model.steps_per_execution)
        if not batches:
            raise StopIteration
        for batch in _local(batches[0], model.distribute_strategy):
            data = keras.utils.unpack_x_y_sample_weight(batch)
            check_data(model, *data, where=f"the first {mode} batch")
        return function(_hand_on(batches, iterator))

    return checked


def _hand_on(batches: list, iterator):
    """An iterator over batches that were taken from another one.

    It says of its batches what the other one says, such as a batch size that
    is left open, so that the step is traced once for both.
    """
    specification = getattr(iterator, "element_spec", None)
    tensors = all(
        isinstance(leaf, tf.TensorSpec)
        for leaf in keras.tree.flatten(specification)
    )
    if not isinstance(iterator, tf.data.Iterator) or not tensors:
        return iter(batches)
    return iter(
        tf.data.Dataset.from_generator(
            lambda: batches, output_signature=specification
        )
    )


def _take(iterator, count: int) -> list:
    batches = []
    # The error is how distributed iterators end.
    with contextlib.suppress(tf.errors.OutOfRangeError):
        batches.extend(itertools.islice(iterator, count))
    return batches


def _local(batch, strategy) -> list:
    """The parts of a batch that the replicas of this process get."""
    leaves = keras.tree.flatten(batch)
    replicas = range(len(strategy.experimental_local_results(leaves[0])))
    return [
        keras.tree.map_structure(
            lambda leaf, replica=replica: strategy.experimental_local_results(
                leaf
            )[replica],
            batch,
        )
        for replica in replicas
    ]
