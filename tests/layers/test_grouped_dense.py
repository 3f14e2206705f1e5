"""Heads that are computed together, against separate dense layers."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from mtl_keras.layers import GroupedDense


def of_task(layer, task, x):
    """Applies the layers of one task to an input."""
    x = tf.convert_to_tensor(x)
    (dense,) = layer.task_layers(x, task=task)
    return dense(x)


def filled(layer, shape, rng):
    """Creates a layer with random weights."""
    layer.build(shape)
    layer.set_weights([rng.normal(size=w.shape) for w in layer.weights])
    return layer


@pytest.mark.parametrize("shape", [(5, 6), (5, 3, 6)])
@pytest.mark.parametrize("use_bias", [True, False])
def test_each_task_has_a_dense_layer(shape, use_bias, rng):
    layer = GroupedDense(4, 3, activation="softmax", use_bias=use_bias)
    filled(layer, shape, rng)
    x = rng.normal(size=shape).astype("float32")
    found = layer(x)
    assert layer.compute_output_shape(shape) == [y.shape for y in found]
    for task, output in enumerate(found):
        own = x if len(shape) == 2 else x[:, task]
        scores = own @ layer.kernel.numpy()[:, task]
        if use_bias:
            scores = scores + layer.bias.numpy()[task]
        shares = np.exp(scores - scores.max(axis=1, keepdims=True))
        shares /= shares.sum(axis=1, keepdims=True)
        np.testing.assert_allclose(output, shares, atol=1e-5)
        np.testing.assert_allclose(of_task(layer, task, own), output, atol=1e-5)


def test_outputs_carry_the_logits_that_keras_takes_losses_from(rng):
    layer = filled(GroupedDense(4, 3, activation="softmax"), (5, 6), rng)
    x = 100 * rng.normal(size=(5, 6)).astype("float32")
    labels = rng.integers(4, size=5)
    for task, output in enumerate(layer(x)):
        loss = keras.losses.sparse_categorical_crossentropy
        expected = loss(labels, of_task(layer, task, x))
        assert expected.numpy().max() > 17  # where probabilities are cut off
        np.testing.assert_allclose(loss(labels, output), expected, rtol=1e-5)


def test_gradients_of_a_task_stay_in_its_slice(rng):
    layer = filled(GroupedDense(4, 3), (5, 6), rng)
    x = rng.normal(size=(5, 6)).astype("float32")
    with tf.GradientTape() as tape:
        loss = tf.reduce_sum(layer(x)[1])
    for gradient in tape.gradient(loss, [v.value for v in layer.weights]):
        by_task = np.moveaxis(gradient.numpy(), layer.task_axis, 0)
        assert by_task[1].any()
        assert not by_task[[0, 2]].any()


@pytest.mark.parametrize(
    "initializer",
    ["glorot_uniform", keras.initializers.HeNormal(seed=3)],
    ids=["unseeded", "seeded"],
)
def test_tasks_start_differently_and_each_as_dense_does(initializer):
    layer = GroupedDense(200, 3, kernel_initializer=initializer)
    layer.build((None, 100))
    kernels = np.moveaxis(layer.kernel.numpy(), 1, 0)
    assert len({kernel.tobytes() for kernel in kernels}) == 3
    dense = keras.layers.Dense(200, kernel_initializer=initializer)
    dense.build((None, 100))
    np.testing.assert_allclose(
        kernels.std(axis=(1, 2)), dense.kernel.numpy().std(), rtol=0.05
    )


def test_initial_values_are_those_of_the_dense_layers():
    layers = [keras.layers.Dense(4, activation="tanh") for _ in range(3)]
    grouped = GroupedDense.from_layers(layers, name="heads")
    grouped.build((None, 6))
    for task, layer in enumerate(layers):
        layer.build((None, 6))
        np.testing.assert_array_equal(grouped.kernel[:, task], layer.kernel)
    assert grouped.activation is keras.activations.tanh


def test_config(copy_of, rng):
    layer = filled(GroupedDense(4, 3, activation="relu"), (5, 6), rng)
    x = rng.normal(size=(5, 6)).astype("float32")
    again = copy_of(layer, (5, 6))
    assert again.get_config() == layer.get_config()
    for found, expected in zip(again(x), layer(x), strict=True):
        np.testing.assert_allclose(found, expected, atol=1e-6)


@pytest.mark.parametrize("shape", [(5, 4, 6), (5, 3, 6, 2), (6,)])
def test_other_inputs_are_refused(shape):
    with pytest.raises(ValueError, match=r"'heads' has 3 tasks and reads"):
        GroupedDense(4, 3, name="heads").build(shape)


def test_bad_arguments_are_named():
    with pytest.raises(ValueError, match="num_tasks: found 0"):
        GroupedDense(4, 0)
    with pytest.raises(TypeError, match=r"units: 2\.5 is not an integer"):
        GroupedDense(2.5, 3)
    layer = GroupedDense(4, 3)
    layer.build((None, 6))
    with pytest.raises(
        ValueError, match=r"task=3; expected an integer from 0 to 2"
    ):
        layer.task_layers(tf.zeros((5, 6)), task=3)
