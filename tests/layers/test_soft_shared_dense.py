"""Dense layers with a penalty on their distance."""

import itertools

import numpy as np
import pytest
import tensorflow as tf

from mtl_keras.layers import SoftSharedDense


def built(rng, **arguments):
    layer = SoftSharedDense(3, num_tasks=3, **arguments)
    layer.build((None, 4))
    layer.set_weights([rng.normal(size=w.shape) for w in layer.weights])
    return layer


def test_each_task_has_a_dense_layer_of_its_own(rng):
    layer = built(rng, activation="relu")
    x = rng.normal(size=(5, 4)).astype("float32")
    for task in range(3):
        kernel, bias = layer.kernels[task].numpy(), layer.biases[task].numpy()
        np.testing.assert_allclose(
            layer(x, task=task), np.maximum(x @ kernel + bias, 0), atol=1e-5
        )


@pytest.mark.parametrize("num_tasks", [2, 3, 40])
def test_the_penalty_is_the_distance_of_all_pairs(rng, num_tasks):
    layer = SoftSharedDense(3, num_tasks, distance=0.3)
    layer.build((None, 4))
    # The last is far from the others, which are near each other.
    values = [1 + 0.01 * rng.normal(size=w.shape) for w in layer.weights]
    values[-2] = rng.normal(size=(4, 3)) - 9
    layer.set_weights(values)
    kernels = [kernel.numpy() for kernel in layer.kernels]
    pairs = itertools.combinations(kernels, 2)
    expected = 0.3 * sum(np.sum((a - b) ** 2) for a, b in pairs)
    assert float(sum(layer.losses)) == pytest.approx(expected, rel=1e-5)


def test_a_kernel_regularizer_is_added(rng):
    layer = built(rng, distance=0.3, kernel_regularizer="l2")
    plain = SoftSharedDense(3, num_tasks=3, distance=0.3)
    plain.build((None, 4))
    plain.set_weights(layer.get_weights())
    squares = sum(np.sum(k.numpy() ** 2) for k in layer.kernels)
    assert float(sum(layer.losses) - sum(plain.losses)) == pytest.approx(
        0.01 * squares, rel=1e-4
    )


def test_equal_kernels_pay_nothing_and_others_are_pulled_together(rng):
    layer = built(rng, distance=0.5)
    with tf.GradientTape() as tape:
        penalty = sum(layer.losses)
    kernels = [k.numpy() for k in layer.kernels]
    found = tape.gradient(penalty, [k.value for k in layer.kernels])
    for kernel, gradient in zip(kernels, found, strict=True):
        expected = 2 * 0.5 * sum(kernel - other for other in kernels)
        np.testing.assert_allclose(gradient, expected, atol=1e-4)
    for kernel in layer.kernels:
        kernel.assign(kernels[0])
    assert sum(layer.losses) == 0


def test_without_distance_or_a_second_task_there_is_no_penalty(rng):
    assert built(rng, distance=0).losses == []
    single = SoftSharedDense(3, num_tasks=1, distance=1.0)
    single.build((None, 4))
    assert single.losses == []


def test_a_task_reaches_only_its_own_kernel(rng):
    layer = built(rng)
    x = rng.normal(size=(5, 4)).astype("float32")
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
        assert reached == listed == {f"kernel_{task}", f"bias_{task}"}


def test_config_and_shape(rng, copy_of):
    layer = built(rng, distance=0.2, use_bias=False)
    x = rng.normal(size=(5, 4)).astype("float32")
    assert layer.compute_output_shape((5, 4)) == layer(x, task=2).shape
    again = copy_of(layer, (5, 4))
    np.testing.assert_array_equal(again(x, task=2), layer(x, task=2))
    assert float(sum(again.losses)) == pytest.approx(float(sum(layer.losses)))


def test_wrong_arguments():
    with pytest.raises(ValueError, match=r"distance=-1; expected a number"):
        SoftSharedDense(3, 2, distance=-1)
    with pytest.raises(TypeError, match=r"units: 'many' is not an integer"):
        SoftSharedDense("many", 2)
    with pytest.raises(
        ValueError, match=r"task=-1; expected an integer from 0 to 1"
    ):
        SoftSharedDense(3, 2)(np.ones((1, 2)), task=-1)


def test_the_operations_of_the_penalty_grow_with_the_tasks_and_no_faster():
    counts = []
    for tasks in (4, 8, 16):
        layer = SoftSharedDense(3, num_tasks=tasks)
        layer.build((None, 4))
        step = tf.function(lambda layer=layer: sum(layer.losses))
        graph = step.get_concrete_function().graph
        counts.append(len(graph.get_operations()))
    assert 0 < counts[2] - counts[1] == 2 * (counts[1] - counts[0])
