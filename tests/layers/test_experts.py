"""Experts, against separate dense layers."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from mtl_keras.layers import Experts


@pytest.mark.parametrize("shape", [(5, 6), (5, 3, 6)])
def test_each_expert_is_a_dense_layer(rng, shape):
    layer = Experts(3, 4, activation="tanh")
    x = rng.normal(size=shape).astype("float32")
    layer.build(shape)
    layer.set_weights([rng.normal(size=w.shape) for w in layer.weights])
    found = layer(x)
    assert layer.compute_output_shape(shape) == found.shape == (5, 3, 4)
    for e in range(3):
        own = x if len(shape) == 2 else x[:, e]
        kernel, bias = layer.kernel[:, e].numpy(), layer.bias[e].numpy()
        np.testing.assert_allclose(
            found[:, e], np.tanh(own @ kernel + bias), atol=1e-5
        )


def test_one_expert_is_keras_dense(rng):
    x = rng.normal(size=(5, 6)).astype("float32")
    dense = keras.layers.Dense(4, "relu")
    expected = dense(x)
    layer = Experts(1, 4, "relu")
    layer.build(x.shape)
    kernel, bias = dense.get_weights()
    layer.set_weights([kernel[:, None], bias[None]])
    np.testing.assert_allclose(layer(x)[:, 0], expected, atol=1e-6)


@pytest.mark.parametrize(
    "initializer",
    ["glorot_uniform", keras.initializers.HeNormal(seed=3)],
    ids=["unseeded", "seeded"],
)
def test_experts_start_differently_and_each_as_dense_does(initializer):
    layer = Experts(3, 200, kernel_initializer=initializer)
    layer.build((None, 100))
    kernels = np.moveaxis(layer.kernel.numpy(), 1, 0)
    assert len({kernel.tobytes() for kernel in kernels}) == 3
    dense = keras.layers.Dense(200, kernel_initializer=initializer)
    dense.build((None, 100))
    np.testing.assert_allclose(
        kernels.std(axis=(1, 2)), dense.kernel.numpy().std(), rtol=0.05
    )


def test_gradients_of_an_expert_stay_with_it(rng):
    layer = Experts(3, 4)
    x = rng.normal(size=(5, 6)).astype("float32")
    layer.build(x.shape)
    with tf.GradientTape() as tape:
        loss = tf.reduce_sum(layer(x)[:, 1])
    gradient = tape.gradient(loss, layer.kernel.value).numpy()
    assert np.abs(gradient[:, 1]).min() > 0
    assert not gradient[:, [0, 2]].any()


def test_config(rng, copy_of):
    layer = Experts(3, 4, "elu", use_bias=False, kernel_regularizer="l1")
    x = rng.normal(size=(5, 6)).astype("float32")
    layer.build(x.shape)
    again = copy_of(layer, (5, 6))
    np.testing.assert_array_equal(again(x), layer(x))
    assert float(again.losses[0]) == float(layer.losses[0])


@pytest.mark.parametrize("shape", [(5, 2, 6), (6,), (5, 3, 6, 2)])
def test_inputs_that_do_not_fit(shape):
    with pytest.raises(ValueError, match=r"has 3 experts and reads"):
        Experts(3, 4).build(shape)


def test_wrong_arguments():
    with pytest.raises(ValueError, match="num_experts: found 0"):
        Experts(0, 4)
    with pytest.raises(TypeError, match=r"units: 4.5 is not an integer"):
        Experts(2, 4.5)
