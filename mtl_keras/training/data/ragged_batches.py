"""Streams whose batches differ in length, where the model allows it."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping

import keras
import numpy as np
import tensorflow as tf

from mtl_keras.training.data.target_form import targets_by_task


def with_any_length(network, stream):
    """Makes a dataset of a generator for a model that takes any length.

    Keras reads the shapes of a generator off its first two batches, so that
    two that are alike would fix the length of all.

    Args:
        network: The model.
        stream: A stream of batches.

    Returns:
        A `tf.data.Dataset` if the stream is an iterator over numpy arrays and
        the model has an axis of any length; else the stream.
    """
    shapes = [tuple(tensor.shape)[1:] for tensor in network.inputs]
    if not isinstance(stream, Iterator) or not any(
        None in shape for shape in shapes
    ):
        return stream
    first = next(stream, None)
    if first is None:
        return stream
    batches = itertools.chain([first], stream)
    if not _is_plain(first):
        return batches
    signature = _signature(network, first)

    def generate():
        for batch in batches:
            yield keras.tree.map_structure(_as_array, _as_tuple(batch))

    return tf.data.Dataset.from_generator(
        generate, output_signature=signature
    ).prefetch(tf.data.AUTOTUNE)


def _is_plain(batch) -> bool:
    """Whether a batch holds dense arrays alone, and no `None`."""
    return all(
        isinstance(leaf, np.ndarray) or tf.is_tensor(leaf)
        for leaf in keras.tree.flatten(_as_tuple(batch))
    )


def _as_tuple(batch) -> tuple:
    return keras.utils.pack_x_y_sample_weight(
        *keras.utils.unpack_x_y_sample_weight(batch)
    )


def _as_array(leaf):
    return leaf if tf.is_tensor(leaf) else np.asarray(leaf)


def _signature(network, batch) -> tuple:
    x, y, sample_weight = keras.utils.unpack_x_y_sample_weight(batch)
    if isinstance(x, Mapping):
        shapes = {tensor.name: tensor.shape for tensor in network.inputs}
        of_x = {name: _spec(leaf, shapes[name]) for name, leaf in x.items()}
    else:
        inputs = [
            _spec(leaf, tensor.shape)
            for leaf, tensor in zip(
                keras.tree.flatten(x), network.inputs, strict=True
            )
        ]
        of_x = keras.tree.pack_sequence_as(x, inputs)
    outputs = network.task_output_shapes
    targets = targets_by_task(network.tasks, y)
    of_y = {
        name: _spec(target, (None, *outputs[name]))
        for name, target in targets.items()
    }
    of_y = of_y if isinstance(y, Mapping) else next(iter(of_y.values()))
    if sample_weight is None:
        return of_x, of_y
    if not isinstance(sample_weight, Mapping):
        free = tf.TensorSpec([None] * np.ndim(sample_weight), "float32")
        return of_x, of_y, free
    of_weights = {
        name: _spec(weights, (None, *outputs[name]))
        for name, weights in sample_weight.items()
    }
    return of_x, of_y, of_weights


def _spec(array, like: tuple) -> tf.TensorSpec:
    """Describes batches of an array; an axis may vary where it does in `like`.

    Args:
        array: The array in the first batch.
        like: A shape with `None` for axes of any length.
    """
    shape = [
        None if axis < len(like) and like[axis] is None else size
        for axis, size in enumerate(np.shape(array))
    ]
    shape[0] = None
    dtype = tf.as_dtype(array.dtype)
    if dtype == tf.float64:
        dtype = tf.as_dtype(keras.config.floatx())
    return tf.TensorSpec(shape, dtype)
