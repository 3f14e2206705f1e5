"""Checks the specification and the first batch of streams."""

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
    """Returns whether `fit` reads `x` batch by batch.

    Args:
        x: The argument of `fit`.
    """
    if isinstance(x, tf.data.Dataset | tf.distribute.DistributedDataset):
        return True
    if isinstance(x, keras.utils.PyDataset):
        return True
    # Generators, torch and grain loaders: everything except arrays.
    leaves = keras.tree.flatten(x)
    return bool(leaves) and not any(hasattr(leaf, "shape") for leaf in leaves)


def can_shuffle(x) -> bool:
    """Returns whether Keras can shuffle inputs without a warning.

    Args:
        x: The argument of `fit`.
    """
    return isinstance(x, keras.utils.PyDataset) or not is_stream(x)


def check_element_spec(model, x) -> None:
    """Checks the `element_spec` of a `tf.data.Dataset`.

    Args:
        model: A `MultiTaskModel`.
        x: A stream. Only a `tf.data.Dataset` is checked.

    Raises:
        TypeError: If the dataset has no dict of targets.
        ValueError: If names or shapes of the targets do not match the model.
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
    """Wraps a train or test function so that it checks the first batch.

    The batch is read from the training iterator and then passed on, so no
    stream starts twice and no random order changes.

    Args:
        function: The result of `make_train_function` or
            `make_test_function`.
        model: A `MultiTaskModel`.
        mode: `"train"` or `"test"`, for errors.

    Returns:
        A function of an iterator, like `function`.
    """

    unchecked = [True]

    def checked(iterator):
        if not unchecked:
            return function(iterator)
        unchecked.clear()
        batches = _take_batches(iterator, model.steps_per_execution)
        if not batches:
            raise StopIteration
        for batch in _local_batches(batches[0], model.distribute_strategy):
            data = keras.utils.unpack_x_y_sample_weight(batch)
            check_data(model, *data, where=f"the first {mode} batch")
        return function(_prepend(batches, iterator))

    return checked


def _prepend(batches: list, iterator):
    """Returns an iterator over batches that were read from another one.

    It has the same `element_spec`, such as an undefined batch size, so that
    the step is traced once for both.
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


def _take_batches(iterator, count: int) -> list:
    batches = []
    # Distributed iterators end with this error.
    with contextlib.suppress(tf.errors.OutOfRangeError):
        batches.extend(itertools.islice(iterator, count))
    return batches


def _local_batches(batch, strategy) -> list:
    """Returns the parts of a batch for the replicas of this process."""
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
