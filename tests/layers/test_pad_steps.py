"""Padding of sequences to a minimum number of steps."""

import keras
import numpy as np
import pytest

from mtl_keras.layers import PadSteps


@pytest.mark.parametrize("steps", [2, 4, 9])
def test_it_adds_masked_zeros_and_truncates_nothing(rng, steps):
    inputs = keras.Input((None,), dtype="int32")
    x = keras.layers.Embedding(6, 3, mask_zero=True)(inputs)
    padded = PadSteps(steps)(x)
    assert padded.shape == (None, None, 3)
    network = keras.Model(inputs, [x, padded])
    ids = rng.integers(6, size=(5, 4))
    before, after = network(ids)
    longer = max(steps - 4, 0)
    np.testing.assert_array_equal(
        after, np.pad(before, [(0, 0), (0, longer), (0, 0)])
    )
    np.testing.assert_array_equal(
        after._keras_mask, np.pad(ids != 0, [(0, 0), (0, longer)])
    )


def test_without_a_mask_only_added_steps_are_masked(rng, copy_of):
    x = rng.normal(size=(2, 3, 1)).astype("float32")
    layer = copy_of(PadSteps(5), x.shape)
    expected = np.arange(5) < np.array([[3], [3]])
    np.testing.assert_array_equal(layer(x)._keras_mask, expected)
    assert PadSteps(5)(keras.Input((3, 1))).shape == (None, 5, 1)
