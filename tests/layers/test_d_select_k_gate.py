"""Gate that selects a few experts, against the formulas of the paper."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from mtl_keras.layers import DSelectKGate


def smooth_step(t, gamma):
    """Computes the smooth step piece by piece."""
    between = -2 / gamma**3 * t**3 + 3 / (2 * gamma) * t + 0.5
    return np.where(
        t <= -gamma / 2, 0.0, np.where(t >= gamma / 2, 1.0, between)
    )


def selector(z, num_experts, gamma):
    """Computes r(z), a product over the digits of each expert."""
    values = np.ones(num_experts)
    for expert in range(num_experts):
        for digit, s in enumerate(smooth_step(z, gamma)):
            values[expert] *= s if expert >> digit & 1 else 1 - s
    return values


def gate_weights(z, a, num_experts, gamma):
    shares = np.exp(a - a.max()) / np.exp(a - a.max()).sum()
    rows = [selector(row, num_experts, gamma) for row in z]
    return sum(s * row for s, row in zip(shares, rows, strict=True)), rows


@pytest.mark.parametrize("num_experts", [2, 3, 4, 6])
def test_the_same_weights_for_all_samples(rng, num_experts):
    gate = DSelectKGate(num_experts, k=2, gamma=1.4)
    gate.build((None, 3))
    z = rng.normal(size=gate.digits.shape) * 0.5
    a = rng.normal(size=2)
    gate.set_weights([z, a])
    expected, _ = gate_weights(z, a, num_experts, 1.4)
    found = gate(np.ones((5, 3)))
    np.testing.assert_allclose(found, np.tile(expected, (5, 1)), atol=1e-6)


def test_weights_for_each_sample(rng):
    gate = DSelectKGate(6, k=3, per_sample=True)
    x = rng.normal(size=(5, 4)).astype("float32")
    gate.build(x.shape)
    gate.set_weights([rng.normal(size=w.shape) * 0.3 for w in gate.weights])
    of_z, of_a = (w.numpy() for w in gate.weights)
    for sample, found in zip(x, gate(x), strict=True):
        z = (sample @ of_z).reshape(3, 3)
        expected, _ = gate_weights(z, sample @ of_a, 6, 1.0)
        np.testing.assert_allclose(found, expected, atol=1e-5)


@pytest.mark.parametrize("k", [1, 2, 3])
def test_sharp_gates_pick_at_most_k_and_sum_to_one(rng, k):
    gate = DSelectKGate(8, k=k)
    gate.build((None, 3))
    for _ in range(20):
        z = np.sign(rng.normal(size=gate.digits.shape)) * rng.uniform(0.5, 9)
        gate.digits.assign(z)
        if k > 1:
            gate.logits.assign(rng.normal(size=k))
        weights = gate(np.ones((1, 3))).numpy()[0]
        assert 1 <= np.count_nonzero(weights) <= k
        assert weights.sum() == pytest.approx(1)


@pytest.mark.slow
def test_training_picks_the_experts_that_help(rng):
    """The target is the sum of two of four experts."""
    gate = DSelectKGate(4, k=2, entropy=0.3)
    values = tf.constant([5.0, 1.0, -1.0, -7.0])
    optimizer = keras.optimizers.Adam(0.05)
    gate.build((None, 1))

    @tf.function
    def step():
        with tf.GradientTape() as tape:
            weights = gate(tf.ones((1, 1)))[0]
            error = tf.square(tf.tensordot(weights, values, 1) - 3.0)
            loss = error + sum(gate.losses)
        gradients = tape.gradient(loss, [v.value for v in gate.weights])
        optimizer.apply(gradients, gate.trainable_variables)
        return error, weights

    optimizer.build(gate.trainable_variables)
    for _ in range(600):
        error, weights = step()
    assert np.count_nonzero(weights.numpy() > 1e-6) <= 2
    assert error < 1e-2


def test_losses_are_entropy_and_reachability(rng):
    gate = DSelectKGate(3, k=2, entropy=0.7)
    gate.build((None, 4))
    z, a = rng.normal(size=(2, 2)) * 0.2, rng.normal(size=2)
    gate.set_weights([z, a])
    gate(np.ones((5, 4)))
    _, rows = gate_weights(z, a, 3, 1.0)
    entropy = -sum(np.sum(r * np.log(r)) for r in rows)
    inverse = sum(1 / r.sum() for r in rows)
    found = [float(loss) for loss in gate.losses]
    np.testing.assert_allclose(found, [0.7 * entropy, inverse], rtol=1e-4)
    full = DSelectKGate(4, k=2)
    full(np.ones((5, 4)))
    assert full.losses == []


@pytest.mark.parametrize("dtype", ["float32", "float16"])
def test_far_digits_give_finite_gradients(dtype):
    gate = DSelectKGate(3, k=2, entropy=0.1, dtype=dtype)
    gate.build((None, 4))
    gate.digits.assign(np.array([[1e4, 1e4], [-1e4, 0.1]]))
    with tf.GradientTape() as tape:
        weights = gate(np.ones((2, 4), dtype))
        total = tf.cast(tf.reduce_sum(weights[:, 0]), "float32")
        loss = total + sum(gate.losses)
    for gradient in tape.gradient(loss, [v.value for v in gate.weights]):
        assert np.isfinite(gradient).all()


@pytest.mark.parametrize("per_sample", [False, True])
def test_config_and_shape(rng, copy_of, per_sample):
    gate = DSelectKGate(5, 2, 1.2, 0.1, per_sample)
    x = rng.normal(size=(5, 4)).astype("float32")
    assert gate.compute_output_shape((5, 4)) == gate(x).shape
    again = copy_of(gate, (5, 4))
    np.testing.assert_array_equal(again(x), gate(x))
    np.testing.assert_array_equal(again.losses, gate.losses)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"k": 5}, "k=5 is above num_experts=4"),
        ({"k": 0}, "k: found 0, expected 1 or more"),
        ({"num_experts": 1}, "num_experts=1 leaves nothing to select"),
        ({"gamma": 0}, "gamma=0; expected a number above 0"),
        ({"entropy": -1}, "entropy=-1; expected a number of 0 or more"),
    ],
)
def test_wrong_arguments(arguments, message):
    with pytest.raises(ValueError, match=message):
        DSelectKGate(**{"num_experts": 4, "k": 2, **arguments})
