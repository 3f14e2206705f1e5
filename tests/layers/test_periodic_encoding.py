"""Encoding of numbers by sines and cosines."""

import numpy as np
import pytest

from mtl_keras.layers import PeriodicEncoding


def test_it_is_the_formula(rng):
    layer = PeriodicEncoding(5, deviation=0.7, seed=3)
    frequencies = np.random.default_rng(3).normal(scale=0.7, size=5)
    x = rng.normal(size=(20, 1))
    angles = 2 * np.pi * x * frequencies
    expected = np.concatenate([np.sin(angles), np.cos(angles)], axis=1)
    np.testing.assert_allclose(layer(x), expected, atol=1e-5)
    assert layer(x).shape == layer.compute_output_shape(x.shape) == (20, 10)


def test_its_config_gives_the_same_waves():
    layer = PeriodicEncoding(4, seed=9)
    again = PeriodicEncoding.from_config(layer.get_config())
    x = np.array([[0.3]])
    np.testing.assert_array_equal(again(x), layer(x))
    assert not np.array_equal(PeriodicEncoding(4, seed=8)(x), layer(x))


def test_wrong_arguments():
    with pytest.raises(ValueError, match="num_frequencies"):
        PeriodicEncoding(0)
    with pytest.raises(ValueError, match="deviation=0"):
        PeriodicEncoding(deviation=0)
