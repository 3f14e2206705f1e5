"""Dense layers with a shared basis."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from mtl_keras.layers import LowRankDense


def test_it_is_the_input_times_basis_times_factor(rng):
    layer = LowRankDense(4, rank=2, num_tasks=3, activation="tanh")
    x = rng.normal(size=(5, 6)).astype("float32")
    layer.build(x.shape)
    layer.set_weights([rng.normal(size=w.shape) for w in layer.weights])
    weights = {w.name: w.numpy() for w in layer.weights}
    for task in range(3):
        kernel = weights["basis"] @ weights[f"factor_{task}"]
        expected = np.tanh(x @ kernel + weights[f"bias_{task}"])
        np.testing.assert_allclose(layer(x, task=task), expected, atol=1e-5)
        np.testing.assert_allclose(layer.task_kernel(task), kernel, atol=1e-5)
        assert np.linalg.matrix_rank(layer.task_kernel(task)) == 2


def test_at_full_rank_it_equals_full_matrices(rng):
    """With the identity as basis, factors are arbitrary kernels."""
    layer = LowRankDense(7, rank=5, num_tasks=2)
    x = rng.normal(size=(3, 5)).astype("float32")
    layer.build(x.shape)
    layer.basis.assign(np.eye(5))
    for task in range(2):
        dense = keras.layers.Dense(7)
        expected = dense(x)
        layer.factors[task].assign(dense.kernel)
        np.testing.assert_allclose(layer(x, task=task), expected, atol=1e-5)


def test_a_task_reaches_the_basis_and_its_own_factor(rng):
    layer = LowRankDense(4, rank=2, num_tasks=3)
    x = rng.normal(size=(5, 6)).astype("float32")
    layer.build(x.shape)
    for task in range(3):
        with tf.GradientTape() as tape:
            loss = tf.reduce_sum(layer(x, task=task))
        found = tape.gradient(loss, [v.value for v in layer.weights])
        reached = {
            v.name
            for v, g in zip(layer.weights, found, strict=True)
            if g is not None
        }
        listed = {v.name for v in layer.call_variables(x, task=task)}
        assert reached == listed == {"basis", f"factor_{task}", f"bias_{task}"}


def test_config_and_shape(rng, copy_of):
    layer = LowRankDense(
        4, 2, 3, "relu", use_bias=False, kernel_regularizer="l2"
    )
    x = rng.normal(size=(5, 6)).astype("float32")
    assert layer.compute_output_shape((5, 6)) == layer(x, task=2).shape
    again = copy_of(layer, (5, 6))
    np.testing.assert_array_equal(again(x, task=2), layer(x, task=2))
    assert len(layer.weights) == len(layer.losses) == len(again.losses) == 4


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"rank": 4}, ValueError, "rank=4 is above the full rank .* 3"),
        ({"rank": 0}, ValueError, "rank: found 0, expected 1 or more"),
        ({"rank": 1.5}, TypeError, "rank: 1.5 is not an integer"),
        ({"num_tasks": 0}, ValueError, "num_tasks: found 0"),
        ({"units": True}, TypeError, "units: True is not an integer"),
    ],
)
def test_wrong_arguments(arguments, error, message):
    arguments = {"units": 5, "rank": 2, "num_tasks": 2, **arguments}
    with pytest.raises(error, match=message):
        LowRankDense(**arguments).build((None, 3))


def test_unknown_task():
    with pytest.raises(
        ValueError, match=r"task=2; expected an integer from 0 to 1"
    ):
        LowRankDense(2, 1, 2)(np.ones((1, 2)), task=2)
