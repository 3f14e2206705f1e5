"""Embedding of categorical columns."""

import numpy as np
import pytest
import tensorflow as tf

from mtl_keras.layers import CategoryEmbedding


@pytest.fixture
def x(rng):
    numbers = rng.normal(size=(7, 2))
    codes = np.stack([rng.integers(0, 3, 7), rng.integers(0, 5, 7)], axis=1)
    return np.concatenate([numbers, codes], axis=1).astype("float32")


def test_it_is_a_look_up_by_column(x):
    layer = CategoryEmbedding([3, 5], dimension=4)
    found = layer(x).numpy()
    table = layer.table.numpy()
    for row, out in zip(x, found, strict=True):
        first, second = int(row[2]), int(row[3])
        expected = [*row[:2], *table[first], *table[3 + second]]
        np.testing.assert_array_equal(out, np.array(expected, "float32"))
    assert found.shape == layer.compute_output_shape(x.shape)


def test_it_is_one_hot_times_a_matrix(x):
    layer = CategoryEmbedding([3, 5], dimension=4)
    found = layer(x[:, 2:]).numpy()[:, :4]
    one_hot = np.eye(3, dtype="float32")[x[:, 2].astype(int)]
    np.testing.assert_allclose(found, one_hot @ layer.table.numpy()[:3])


def test_an_id_out_of_range_reads_its_own_column(x):
    layer = CategoryEmbedding([3, 5], dimension=4)
    beyond = layer(np.array([[2.0, 4.0], [9.0, 99.0], [-1.0, -7.0]]))
    np.testing.assert_array_equal(beyond[1], beyond[0])
    np.testing.assert_array_equal(beyond[2], layer(np.zeros((1, 2)))[0])


def test_gradients_reach_the_rows_that_were_read(x):
    layer = CategoryEmbedding([3, 5], dimension=4)
    layer.build(x.shape)
    with tf.GradientTape() as tape:
        loss = tf.reduce_sum(layer(np.array([[0.5, 0.5, 1.0, 4.0]])))
    gradient = tape.gradient(loss, layer.table.value)
    gradient = tf.convert_to_tensor(gradient).numpy()
    np.testing.assert_array_equal(np.nonzero(gradient.any(axis=1))[0], [1, 7])


def test_config_and_weights_restore_it(x, copy_of):
    layer = CategoryEmbedding([3, 5], 4, embeddings_regularizer="l2")
    expected = layer(x)
    again = copy_of(layer, x.shape)
    np.testing.assert_array_equal(again(x), expected)
    assert len(again.losses) == 1


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"vocabulary_sizes": []}, "vocabulary_sizes is empty"),
        ({"vocabulary_sizes": [3, 0]}, "vocabulary_sizes: found 0"),
        ({"vocabulary_sizes": [3], "dimension": 0}, "dimension: found 0"),
    ],
)
def test_arguments_are_checked(arguments, message):
    with pytest.raises(ValueError, match=message):
        CategoryEmbedding(**arguments)


def test_the_input_must_have_the_columns():
    with pytest.raises(ValueError, match="last 2 columns, but the input has 1"):
        CategoryEmbedding([3, 5], name="codes")(np.zeros((1, 1)))
