"""Numbers are filled, scaled and encoded."""

import keras
import numpy as np
import pytest

from mtl_keras.layers import (
    NumberEncoding,
    PeriodicEncoding,
    PiecewiseLinearEncoding,
)


def test_missing_numbers_are_filled_and_marked(rng):
    x = rng.normal(5, 3, (50, 1)).astype("float32")
    x[[3, 7, 11]] = np.array([[np.nan], [np.inf], [-np.inf]])
    layer = NumberEncoding(5.5, 5, 3, mark_missing=True)
    found = layer(x).numpy()
    missing = ~np.isfinite(x)
    np.testing.assert_allclose(
        found[:, :1], (np.where(missing, 5.5, x) - 5) / 3, atol=1e-6
    )
    np.testing.assert_array_equal(found[:, 1:], missing)
    assert found.shape == layer.compute_output_shape(x.shape)
    unmarked = NumberEncoding(5.5, 5, 3)(x).numpy()
    np.testing.assert_array_equal(unmarked, found[:, :1])


def test_a_marked_missing_value_has_no_other_bin():
    encoder = PiecewiseLinearEncoding(boundaries=[-1.0, 0.0, 1.0])
    layer = NumberEncoding(9.0, 0.0, 1.0, mark_missing=True, encoder=encoder)
    found = layer(np.array([[0.5], [np.nan]], "float32"))
    np.testing.assert_array_equal(found, [[1, 0.5, 0], [0, 0, 1]])
    unmarked = NumberEncoding(0.5, 0.0, 1.0, encoder=encoder)
    found = unmarked(np.array([[0.5], [np.nan]], "float32"))
    np.testing.assert_array_equal(found, [[1, 0.5], [1, 0.5]])


def test_large_numbers_in_float64_keep_their_spread():
    x = 1.7e9 + np.arange(64.0)[:, None]
    layer = NumberEncoding(0.0, x.mean(), x.std())
    expected = (x - x.mean()) / x.std()
    np.testing.assert_allclose(layer(x), expected, atol=1e-6)
    assert layer(x).dtype == "float32"


def test_integers_are_numbers():
    found = NumberEncoding(0.0, 1.0, 2.0)(np.array([[3], [5]]))
    np.testing.assert_array_equal(found, [[1], [2]])


@pytest.mark.parametrize(
    "encoder",
    [None, PeriodicEncoding(3), PiecewiseLinearEncoding(boundaries=[0, 1])],
    ids=str,
)
def test_it_is_saved_with_its_encoder(encoder, tmp_path):
    layer = NumberEncoding(1.0, 2.0, 3.0, True, encoder)
    inputs = keras.Input((1,))
    model = keras.Model(inputs, layer(inputs))
    model.save(tmp_path / "m.keras")
    again = keras.models.load_model(tmp_path / "m.keras")
    x = np.array([[4.0], [np.nan]], "float32")
    np.testing.assert_array_equal(again(x), model(x))
    assert again.output_shape == model.output_shape == (None, layer.width)


@pytest.mark.parametrize("scale", [0, -1.0, np.nan])
def test_the_scale_is_above_zero(scale):
    with pytest.raises(ValueError, match=r"scale=.*above 0"):
        NumberEncoding(scale=scale)
