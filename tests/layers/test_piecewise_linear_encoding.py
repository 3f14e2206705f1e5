"""Encoding of numbers by bins."""

import itertools

import keras
import numpy as np
import pytest
import tensorflow as tf

from mtl_keras.layers import PiecewiseLinearEncoding


def by_loop(x, boundaries):
    """Computes the formula for each number and each bin."""
    rows = []
    for number in x:
        row = []
        for low, high in itertools.pairwise(boundaries):
            row.append(min(max((number - low) / (high - low), 0), 1))
        rows.append(row)
    return np.array(rows, "float32")


def test_it_is_the_formula(rng):
    boundaries = np.sort(rng.normal(size=6)).tolist()
    x = rng.normal(scale=3, size=50)
    layer = PiecewiseLinearEncoding(boundaries=boundaries)
    found = layer(x[:, None])
    np.testing.assert_allclose(found, by_loop(x, boundaries), atol=1e-5)
    assert found.shape == layer.compute_output_shape((50, 1))


def test_linear_layers_on_it_are_any_piecewise_linear_function(rng):
    boundaries = np.arange(6.0)
    heights = rng.normal(size=6)
    layer = PiecewiseLinearEncoding(boundaries=boundaries)
    x = rng.uniform(0, 5, size=40)
    found = heights[0] + layer(x[:, None]).numpy() @ np.diff(heights)
    expected = np.interp(x, boundaries, heights)
    np.testing.assert_allclose(found, expected, atol=1e-5)


def test_few_distinct_values_are_distinguished_exactly():
    values = np.array([0.0] * 90 + [7688.0] * 5 + [15024.0, 99999.0])
    layer = PiecewiseLinearEncoding(num_bins=8)
    layer.adapt(values[:, None])
    assert layer.boundaries == (0.0, 7688.0, 15024.0, 99999.0)
    encoded = layer(np.array([[0.0], [7688.0], [15024.0], [1e9], [-5.0]]))
    np.testing.assert_array_equal(encoded[:, 0], [0, 1, 1, 1, 0])
    np.testing.assert_array_equal(encoded[:, 1], [0, 0, 1, 1, 0])
    np.testing.assert_array_equal(encoded[:, 2], [0, 0, 0, 1, 0])


def test_bins_are_quantiles_of_distinct_values_from_arrays_and_streams(rng):
    x = rng.normal(size=(1000, 1)).astype("float32")
    layer, of_stream = (PiecewiseLinearEncoding(num_bins=4) for _ in range(2))
    layer.adapt(np.concatenate([x, np.zeros((5000, 1), "float32")]))
    of_stream.adapt(tf.data.Dataset.from_tensor_slices(x).batch(64))
    expected = np.quantile(x[:, 0], np.linspace(0, 1, 5))
    np.testing.assert_allclose(of_stream.boundaries, expected, rtol=1e-5)
    np.testing.assert_allclose(layer.boundaries, expected, atol=0.01)


def test_config_carries_the_boundaries(rng):
    layer = PiecewiseLinearEncoding(num_bins=4, name="age")
    x = rng.normal(size=(30, 1))
    layer.adapt(x)
    serialized = keras.saving.serialize_keras_object(layer)
    again = keras.saving.deserialize_keras_object(serialized)
    np.testing.assert_array_equal(again(x), layer(x))
    fresh = PiecewiseLinearEncoding.from_config(
        PiecewiseLinearEncoding().get_config()
    )
    assert fresh.boundaries is None


@pytest.mark.parametrize(
    "boundaries", [[1.0], [1.0, 1.0], [2.0, 1.0], [0.0, np.inf], []]
)
def test_boundaries_must_increase(boundaries):
    with pytest.raises(ValueError, match=r"boundaries=.*above the one before"):
        PiecewiseLinearEncoding(boundaries=boundaries)


@pytest.mark.parametrize("constant", [[[3.0]] * 4, [[np.nan], [3.0]]])
def test_a_constant_column_is_refused(constant):
    layer = PiecewiseLinearEncoding(name="hours")
    with pytest.raises(ValueError, match="'hours': found 1 distinct"):
        layer.adapt(np.array(constant))


def test_it_must_be_adapted_first():
    layer = PiecewiseLinearEncoding(name="hours")
    with pytest.raises(ValueError, match="'hours' has no boundaries yet"):
        layer(np.ones((2, 1)))


@pytest.mark.parametrize("bins", [0, 2.5, True])
def test_bins_are_counted(bins):
    with pytest.raises((TypeError, ValueError), match="num_bins"):
        PiecewiseLinearEncoding(bins)
