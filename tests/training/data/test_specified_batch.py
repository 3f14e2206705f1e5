"""What the data say of a batch, before any is read."""

import numpy as np
import pytest
import tensorflow as tf

from mtl_keras.training.data.specified_batch import specified_batch


@pytest.mark.parametrize("as_iterator", [False, True])
def test_shapes_and_types_are_those_of_the_batches(as_iterator):
    x = np.zeros((6, 3), "float32")
    y = {"kind": np.zeros(6, "int64"), "size": np.zeros((6, 1), "float64")}
    data = tf.data.Dataset.from_tensor_slices((x, y)).batch(4)
    found, labels = specified_batch(iter(data) if as_iterator else data)
    assert (found.shape, found.dtype) == ((None, 3), "float32")
    assert (labels["kind"].shape, labels["kind"].dtype) == ((None,), "int64")
    assert (labels["size"].shape, labels["size"].dtype) == (
        (None, 1),
        "float64",
    )


def test_unknown_ranks_say_nothing():
    data = tf.data.Dataset.from_generator(
        lambda: iter([np.zeros((2, 3), "float32")]),
        output_signature=tf.TensorSpec(None, "float32"),
    )
    assert specified_batch(data) is None


def test_ragged_rows_say_nothing():
    rows = tf.ragged.constant([[1.0], [2.0, 3.0]])
    data = tf.data.Dataset.from_tensor_slices(rows).batch(2)
    assert specified_batch(data) is None
