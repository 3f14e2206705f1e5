"""Trunks of sequences: padding changes nothing; wrong shapes are refused."""

import keras
import numpy as np
import pytest
from factory_harness import mostly_slow

from mtl_keras import sequence_trunks
from mtl_keras.layers import PaddingMask

TRUNKS = {
    "conv": sequence_trunks.convolutional,
    "gru": sequence_trunks.recurrent,
    "transformer": sequence_trunks.transformer,
}


def padded_network(kind, **arguments):
    """Returns a trunk that reads zeros at the end as padding."""
    inputs = keras.Input((None, 3))
    x = PaddingMask(0.0)([inputs, inputs])
    return keras.Model(inputs, TRUNKS[kind](x, (8, 8), **arguments))


@pytest.mark.parametrize("kind", sorted(TRUNKS))
@pytest.mark.parametrize(
    "normalization", mostly_slow(["batch", "layer", None], ["batch"])
)
def test_padding_changes_no_step(rng, kind, normalization):
    network = padded_network(kind, normalization=normalization)
    x = rng.normal(size=(3, 6, 3)).astype("float32")
    expected = network(x)
    longer = np.pad(x, [(0, 0), (0, 4), (0, 0)])
    np.testing.assert_allclose(network(longer)[:, :6], expected, atol=1e-5)


@pytest.mark.parametrize("kind", mostly_slow(sorted(TRUNKS), ["conv"]))
def test_padding_changes_no_statistics_of_batches(rng, kind):
    # The sequences differ in length; the padding must not count.
    x = rng.normal(size=(4, 8, 3)).astype("float32")
    x[np.arange(8) >= np.array([8, 5, 3, 1])[:, None]] = 0
    network = padded_network(kind, normalization="batch")
    network(x, training=True)
    expected = [w.numpy() for w in network.non_trainable_weights]
    again = padded_network(kind, normalization="batch")
    again.set_weights(network.get_weights())
    for weight in again.non_trainable_weights:
        start = np.ones if "variance" in weight.name else np.zeros
        weight.assign(start(weight.shape))
    again(np.pad(x, [(0, 0), (0, 5), (0, 0)]), training=True)
    for weight, value in zip(
        again.non_trainable_weights, expected, strict=True
    ):
        np.testing.assert_allclose(weight, value, atol=1e-5)


@pytest.mark.parametrize("kind", mostly_slow(sorted(TRUNKS), ["transformer"]))
def test_a_sequence_that_is_all_padding_is_finite(kind):
    network = padded_network(kind)
    assert np.isfinite(network(np.zeros((1, 4, 3)))).all()


def test_convolutions_reach_as_far_as_they_say():
    x = np.zeros((1, 31, 1), "float32")
    inputs = keras.Input((None, 1))
    trunk = sequence_trunks.convolutional(inputs, (1, 1), activation="linear")
    network = keras.Model(inputs, trunk)
    network.set_weights([np.ones_like(w) for w in network.get_weights()])
    before = network(x)
    x[0, 15] = 1
    changed = np.flatnonzero(np.asarray(network(x) - before))
    assert changed.min() == 15 - 6 and changed.max() == 15 + 6


@pytest.mark.parametrize(
    ("widths", "heads", "message"),
    [
        ((8, 4), 4, r"hidden_units=\(8, 4\)"),
        ((6,), 4, "num_heads=4 does not divide the width 6"),
    ],
)
def test_transformers_that_do_not_fit(widths, heads, message):
    with pytest.raises(ValueError, match=message):
        sequence_trunks.transformer(
            keras.Input((5, 3)), widths, num_heads=heads
        )
