"""Streams whose batches differ in length."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping

import keras
import numpy as np
import tensorflow as tf

from mtl_keras.training.data.target_form import targets_by_task


def to_variable_length(model, stream):
    """Converts a generator to a dataset whose batches may differ in length.

    Keras infers the shapes of a generator from its first two batches. If both
    have the same length, it would fix the length of all batches.

    Args:
        model: The model.
        stream: A stream of batches.

    Returns:
        A `tf.data.Dataset` if the stream is an iterator over numpy arrays and
        the model has an axis of any length; otherwise the stream.
    """
    shapes = [tuple(tensor.shape)[1:] for tensor in model.inputs]
    if not isinstance(stream, Iterator) or not any(
        None in shape for shape in shapes
    ):
        return stream
    first = next(stream, None)
    if first is None:
        return stream
    batches = itertools.chain([first], stream)
    if not _is_dense_batch(first):
        return batches
    signature = _make_signature(model, first)

    def generate():
        for batch in batches:
            yield keras.tree.map_structure(_to_array, _to_tuple(batch))

    return tf.data.Dataset.from_generator(
        generate, output_signature=signature
    ).prefetch(tf.data.AUTOTUNE)


def _is_dense_batch(batch) -> bool:
    """Returns whether a batch contains only dense arrays."""
    return all(
        isinstance(leaf, np.ndarray) or tf.is_tensor(leaf)
        for leaf in keras.tree.flatten(_to_tuple(batch))
    )


def _to_tuple(batch) -> tuple:
    return keras.utils.pack_x_y_sample_weight(
        *keras.utils.unpack_x_y_sample_weight(batch)
    )


def _to_array(leaf):
    return leaf if tf.is_tensor(leaf) else np.asarray(leaf)


def _make_signature(model, batch) -> tuple:
    x, y, sample_weight = keras.utils.unpack_x_y_sample_weight(batch)
    if isinstance(x, Mapping):
        shapes = {tensor.name: tensor.shape for tensor in model.inputs}
        x_signature = {
            name: _make_spec(leaf, shapes[name]) for name, leaf in x.items()
        }
    else:
        inputs = [
            _make_spec(leaf, tensor.shape)
            for leaf, tensor in zip(
                keras.tree.flatten(x), model.inputs, strict=True
            )
        ]
        x_signature = keras.tree.pack_sequence_as(x, inputs)
    outputs = model.task_output_shapes
    targets = targets_by_task(model.tasks, y)
    y_signature = {
        name: _make_spec(target, (None, *outputs[name]))
        for name, target in targets.items()
    }
    y_signature = (
        y_signature
        if isinstance(y, Mapping)
        else next(iter(y_signature.values()))
    )
    if sample_weight is None:
        return x_signature, y_signature
    if not isinstance(sample_weight, Mapping):
        free = tf.TensorSpec([None] * np.ndim(sample_weight), "float32")
        return x_signature, y_signature, free
    weight_signature = {
        name: _make_spec(weights, (None, *outputs[name]))
        for name, weights in sample_weight.items()
    }
    return x_signature, y_signature, weight_signature


def _make_spec(array, like: tuple) -> tf.TensorSpec:
    """Creates the spec of an array, with `None` where `like` has `None`.

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
