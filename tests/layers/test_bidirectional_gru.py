"""Our training step of GRUs gives Keras's numbers and gradients."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from mtl_keras.layers import BidirectionalGRU
from mtl_keras.layers.gru_steps import gru_steps

SIZES = (4, 7, 3)  # batch, steps, channels


def mask_of(kind, rng):
    if kind == "right":  # of padding, and of a sequence that is nothing else
        return np.arange(7) < np.array([7, 1, 4, 0])[:, None]
    return None if kind == "none" else rng.uniform(size=SIZES[:2]) < 0.6


def pair(rng, units=5, **arguments):
    """Keras's layer and ours, of the same weights."""
    layers = [
        kind(keras.layers.GRU(units, return_sequences=True), **arguments)
        for kind in (keras.layers.Bidirectional, BidirectionalGRU)
    ]
    for layer in layers:
        layer.build(SIZES)
    weights = [rng.normal(size=one.shape) for one in layers[0].weights]
    for layer in layers:
        layer.set_weights(weights)
    return layers


def results(layer, x, mask):
    """Outputs, and the gradients of a function of them."""
    x = tf.Variable(x)
    with tf.GradientTape() as tape:
        outputs = layer(x, mask=mask, training=True)
        weights = tf.range(tf.size(outputs), dtype=tf.float32)
        weights = tf.sin(tf.reshape(weights, outputs.shape))
        loss = tf.reduce_sum(weights * outputs**2)
    sources = [x, *(one.value for one in layer.trainable_weights)]
    return [outputs, *tape.gradient(loss, sources)]


@pytest.fixture
def never(monkeypatch):
    """Makes our own loop an error."""
    monkeypatch.setattr("mtl_keras.layers.bidirectional_gru.gru_steps", None)


@pytest.mark.parametrize("mask", ["none", "right", "random"])
def test_the_same_numbers_and_gradients_as_keras(rng, mask):
    mask = mask_of(mask, rng)
    x = rng.normal(size=SIZES).astype("float32")
    expected, found = (results(layer, x, mask) for layer in pair(rng))
    assert len(found) == 8
    for one, other in zip(found, expected, strict=True):
        np.testing.assert_allclose(one, other, rtol=2e-4, atol=2e-5)


def test_a_graph_of_any_shape_gives_the_same(rng):
    layer = pair(rng)[1]

    @tf.function(
        input_signature=[
            tf.TensorSpec([None, None, 3]),
            tf.TensorSpec([None, None], tf.bool),
        ]
    )
    def outputs(x, mask):
        return layer(x, mask=mask, training=True)

    for batch, steps in ((4, 7), (2, 1)):
        x = rng.normal(size=(batch, steps, 3)).astype("float32")
        mask = np.arange(steps) < rng.integers(1, steps + 1, (batch, 1))
        expected = layer(x, mask=mask, training=False)
        np.testing.assert_allclose(outputs(x, mask), expected, atol=1e-6)


def test_outside_of_training_it_is_that_of_keras(rng, never):
    x = rng.normal(size=SIZES).astype("float32")
    theirs, ours = pair(rng)
    np.testing.assert_array_equal(ours(x, training=False), theirs(x))
    with pytest.raises(TypeError, match="not callable"):
        ours(x, training=True)


@pytest.mark.parametrize(
    ("of_gru", "of_both"),
    [
        ({"reset_after": False}, {}),
        ({"use_bias": False}, {}),
        ({"recurrent_dropout": 0.1}, {}),
        ({"dropout": 0.1}, {}),
        ({"activation": "relu"}, {}),
        ({"recurrent_activation": "hard_sigmoid"}, {}),
        ({"unroll": True}, {}),
        ({"return_sequences": False}, {}),
        ({"return_state": True}, {}),
        ({}, {"merge_mode": "sum"}),
    ],
)
def test_what_is_not_as_by_default_is_that_of_keras(
    rng, never, of_gru, of_both
):
    x = rng.normal(size=SIZES).astype("float32")
    gru = keras.layers.GRU(5, **{"return_sequences": True, **of_gru})
    assert BidirectionalGRU(gru, **of_both)(x, training=True) is not None


def test_other_layers_and_states_are_those_of_keras(rng, never):
    x = rng.normal(size=SIZES).astype("float32")
    lstm = BidirectionalGRU(keras.layers.LSTM(5, return_sequences=True))
    assert lstm(x, training=True).shape == (4, 7, 10)
    state = [np.ones((4, 5), "float32")] * 2
    layer = pair(rng)[1]
    found = layer(x, initial_state=state, training=True)
    assert found.shape == (4, 7, 10)


def test_gradients_are_those_of_finite_differences(rng):
    shapes = ((3, 2, 6), (2, 6), (6,), (2, 2))
    given = [tf.constant(rng.normal(size=shape)) for shape in shapes]
    theory, numbers = tf.test.compute_gradient(gru_steps, given)
    for one, other in zip(theory, numbers, strict=True):
        np.testing.assert_allclose(one, other, atol=1e-6)


def test_second_derivatives(rng):
    shapes = ((3, 2, 6), (2, 6), (6,), (2, 2))
    x, *given = [tf.constant(rng.normal(size=shape)) for shape in shapes]

    def slope(x):
        with tf.GradientTape() as tape:
            tape.watch(x)
            y = tf.reduce_sum(gru_steps(x, *given) ** 2)
        return tape.gradient(y, x)

    (theory,), (numbers,) = tf.test.compute_gradient(slope, [x])
    np.testing.assert_allclose(theory, numbers, atol=1e-6)


@pytest.mark.slow
@pytest.mark.parametrize("policy", ["mixed_bfloat16", "mixed_float16"])
def test_mixed_precision(rng, policy):
    x = rng.normal(size=SIZES).astype("float32")
    layer = BidirectionalGRU(
        keras.layers.GRU(5, return_sequences=True, dtype=policy), dtype=policy
    )
    found = layer(x, mask=mask_of("right", rng), training=True)
    expected = layer(x, mask=mask_of("right", rng), training=False)
    assert found.dtype == expected.dtype
    np.testing.assert_allclose(
        tf.cast(found, "float32"), tf.cast(expected, "float32"), atol=0.03
    )


def test_a_saved_layer_comes_back(rng, tmp_path):
    inputs = keras.Input((None, 3))
    gru = keras.layers.GRU(4, return_sequences=True)
    model = keras.Model(inputs, BidirectionalGRU(gru)(inputs))
    model.save(tmp_path / "model.keras")
    loaded = keras.models.load_model(tmp_path / "model.keras")
    assert type(loaded.layers[1]) is BidirectionalGRU
    x = rng.normal(size=SIZES).astype("float32")
    np.testing.assert_array_equal(loaded(x), model(x))
    np.testing.assert_array_equal(
        loaded(x, training=True), model(x, training=True)
    )
