"""Linear combinations of towers."""

import numpy as np
import pytest
import tensorflow as tf

from mtl_keras.layers import CrossStitch


def towers(rng, count=3, shape=(5, 4)):
    return [rng.normal(size=shape).astype("float32") for _ in range(count)]


@pytest.mark.parametrize("shape", [(5, 4), (2, 3, 3, 4)])
@pytest.mark.parametrize("per_channel", [False, True])
def test_it_is_alpha_times_the_towers(rng, per_channel, shape):
    layer = CrossStitch(3, per_channel=per_channel)
    x = towers(rng, shape=shape)
    layer.build([shape] * 3)
    layer.set_weights([rng.normal(size=w.shape) for w in layer.weights])
    for task in range(3):
        alpha = layer.matrix[task]
        expected = sum(alpha[j] * x[j] for j in range(3))
        np.testing.assert_allclose(layer(x, task=task), expected, atol=1e-5)


def test_identity_does_not_change_the_towers(rng):
    layer = CrossStitch(3, own=1.0)
    x = towers(rng)
    for task in range(3):
        np.testing.assert_array_equal(layer(x, task=task), x[task])
    np.testing.assert_array_equal(layer.matrix, np.eye(3))


def test_it_starts_near_the_identity_and_keeps_the_scale():
    layer = CrossStitch(3, own=0.8)
    layer.build([(None, 4)] * 3)
    expected = np.full((3, 3), 0.1) + 0.7 * np.eye(3)
    np.testing.assert_allclose(layer.matrix, expected, rtol=1e-6)


def test_a_task_reaches_its_own_row_and_all_towers(rng):
    layer = CrossStitch(3)
    x = [tf.constant(tower) for tower in towers(rng)]
    layer.build([(5, 4)] * 3)
    for task in range(3):
        with tf.GradientTape() as tape:
            tape.watch(x)
            loss = tf.reduce_sum(layer(x, task=task))
        found = tape.gradient(loss, [*[v.value for v in layer.weights], *x])
        reached = [
            v.name
            for v, g in zip(layer.weights, found, strict=False)
            if g is not None
        ]
        listed = [v.name for v in layer.call_variables(x, task=task)]
        assert reached == listed == [f"alpha_{task}"]
        for j, gradient in enumerate(found[3:]):
            np.testing.assert_allclose(
                gradient, np.full((5, 4), layer.matrix[task, j])
            )


def test_config_and_shape(rng, copy_of):
    layer = CrossStitch(3, own=0.7, per_channel=True)
    x = towers(rng)
    assert layer.compute_output_shape([(5, 4)] * 3) == layer(x, task=1).shape
    again = copy_of(layer, [(5, 4)] * 3)
    np.testing.assert_array_equal(again(x, task=1), layer(x, task=1))


def test_towers_that_do_not_fit(rng):
    with pytest.raises(ValueError, match="stitches 3 towers; found 2"):
        CrossStitch(3)(towers(rng, 2))
    odd = [*towers(rng, 1), *towers(rng, 1, (5, 6))]
    with pytest.raises(ValueError, match=r"towers of one shape; .*\(5, 6\)"):
        CrossStitch(2)(odd)
    with pytest.raises(ValueError, match="task=3; expected an integer from 0"):
        CrossStitch(3)(towers(rng), task=3)
    with pytest.raises(ValueError, match="num_tasks: found 0"):
        CrossStitch(0)


@pytest.mark.parametrize("per_channel", [False, True])
def test_a_task_is_as_many_operations_for_any_number_of_towers(per_channel):
    counts = []
    for towers in (4, 16):
        layer = CrossStitch(towers, per_channel=per_channel)
        layer.build([(5, 4)] * towers)
        step = tf.function(lambda x, layer=layer: layer(x, task=1))
        graph = step.get_concrete_function([tf.zeros((5, 4))] * towers).graph
        counts.append(len(graph.get_operations()) - towers)
    assert 0 < counts[0] == counts[1]
