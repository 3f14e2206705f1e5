"""Encoding of positions, against the formula of the paper."""

import numpy as np
import pytest

from mtl_keras.layers import PositionEncoding


@pytest.mark.parametrize("channels", [1, 4, 7])
def test_it_adds_sines_and_cosines(rng, channels):
    x = rng.normal(size=(2, 5, channels)).astype("float32")
    expected = x.copy()
    for step in range(5):
        for channel in range(channels):
            pair = channel // 2
            angle = step / 10000 ** (2 * pair / channels)
            wave = np.cos if channel % 2 else np.sin
            expected[:, step, channel] += wave(angle)
    np.testing.assert_allclose(PositionEncoding()(x), expected, atol=1e-5)


def test_later_steps_change_nothing(rng):
    x = rng.normal(size=(1, 6, 4)).astype("float32")
    layer = PositionEncoding()
    np.testing.assert_array_equal(layer(x)[:, :4], layer(x[:, :4]))
