"""Attention of a task, against the formula of the paper."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from mtl_keras.layers import TaskAttention


def maps(rng, *channels, size=3):
    """Creates maps of two samples with these channels."""
    shape = (2, size, size + 1)
    return [rng.normal(size=(*shape, c)).astype("float32") for c in channels]


def built(layer, inputs, rng):
    """Creates a layer with random weights."""
    layer.build([array.shape for array in inputs])
    layer.set_weights(
        [
            rng.uniform(0.5, 1.5, size=w.shape)  # variances are positive
            if "norm" in w.path
            else rng.normal(size=w.shape)
            for w in layer.weights
        ]
    )
    return layer


def normalized(x, layer):
    """Normalizes by moving statistics, as in inference."""
    if layer is None:
        return x
    gamma, beta, mean, variance = layer.get_weights()
    return gamma * (x - mean) / np.sqrt(variance + layer.epsilon) + beta


def reference_mask(layer, u, v=None):
    """Computes sigmoid(norm([u; v] * G) * H) for each pixel."""
    x = u if v is None else np.concatenate([u, v], axis=-1)
    kernel, *bias = layer.hidden.get_weights()
    x = x @ kernel[0, 0] + (bias[0] if bias else 0)
    x = np.maximum(normalized(x, layer.normalizations[0]), 0)
    kernel, *bias = layer.picked.get_weights()
    x = x @ kernel[0, 0] + (bias[0] if bias else 0)
    return 1 / (1 + np.exp(-normalized(x, layer.normalizations[1])))


@pytest.mark.parametrize("normalization", [None, "batch"])
@pytest.mark.parametrize("filters", [None, 6])
@pytest.mark.parametrize("above_the_first", [False, True])
def test_it_is_the_formula(normalization, filters, above_the_first, rng):
    p, u, v = maps(rng, 4, 5, 3)
    inputs = [p, u, v] if above_the_first else [p, u]
    layer = built(TaskAttention(filters, normalization), inputs, rng)
    expected = reference_mask(layer, *inputs[1:])
    np.testing.assert_allclose(layer.mask(inputs), expected, atol=1e-5)
    np.testing.assert_allclose(layer(inputs), expected * p, atol=1e-5)
    assert expected.std() > 0.1  # neither all open nor all shut


def test_a_mask_of_ones_passes_the_features_on(rng):
    inputs = maps(rng, 4, 4)
    layer = TaskAttention(normalization=None)
    layer.build([array.shape for array in inputs])
    layer.picked.kernel.assign(tf.zeros_like(layer.picked.kernel))
    layer.picked.bias.assign(tf.fill(layer.picked.bias.shape, 50.0))
    np.testing.assert_array_equal(layer(inputs), inputs[0])


@pytest.mark.parametrize("normalization", ["batch", "group", "layer", None])
def test_gradients_reach_all_it_has_and_reads(normalization, rng):
    inputs = [tf.constant(array) for array in maps(rng, 4, 4, 2)]
    layer = built(TaskAttention(normalization=normalization), inputs, rng)
    with tf.GradientTape() as tape:
        tape.watch(inputs)
        loss = tf.reduce_sum(layer(inputs, training=True) ** 2)
    variables = [variable.value for variable in layer.trainable_variables]
    assert len(variables) == (6 if normalization else 4)
    for gradient in tape.gradient(loss, [*variables, *inputs]):
        assert np.abs(gradient).max() > 1e-6


def test_batch_statistics_are_learned_in_training(rng):
    inputs = maps(rng, 4, 4)
    layer = built(TaskAttention(), inputs, rng)
    before = [v.numpy() for v in layer.non_trainable_variables]
    assert len(before) == 4
    layer(inputs, training=False)
    for old, variable in zip(
        before, layer.non_trainable_variables, strict=True
    ):
        np.testing.assert_array_equal(old, variable)
    layer(inputs, training=True)
    for old, variable in zip(
        before, layer.non_trainable_variables, strict=True
    ):
        assert np.abs(old - variable.numpy()).max() > 0


def test_config_shape_and_penalty(rng, copy_of):
    inputs = maps(rng, 4, 4)
    layer = TaskAttention(3, None, keras.regularizers.L2(0.1))
    layer = built(layer, inputs, rng)
    shapes = [array.shape for array in inputs]
    assert layer.compute_output_shape(shapes) == layer(inputs).shape
    again = copy_of(layer, shapes)
    np.testing.assert_array_equal(again(inputs), layer(inputs))
    squares = [np.square(w).sum() for w in layer.get_weights() if w.ndim == 4]
    assert float(sum(layer.losses)) == pytest.approx(0.1 * sum(squares), 1e-5)


def test_half_precision_keeps_its_dtype(rng):
    layer = TaskAttention(dtype="mixed_bfloat16")
    inputs = [tf.cast(array, "bfloat16") for array in maps(rng, 4, 4)]
    assert layer(inputs).dtype == tf.bfloat16
    assert layer.hidden.kernel.dtype == "float32"


def test_maps_that_do_not_fit(rng):
    (p,) = maps(rng, 4)
    with pytest.raises(ValueError, match="two maps or more"):
        TaskAttention()([p])
    with pytest.raises(ValueError, match=r"\(3, 4\), \(5, 6\).*Pool"):
        TaskAttention()([p, *maps(rng, 4, size=5)])
    with pytest.raises(ValueError, match="normalization='bach'"):
        TaskAttention(normalization="bach")
