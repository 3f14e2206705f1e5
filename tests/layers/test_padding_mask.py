"""Mask of padding, against a loop from the end."""

import numpy as np
import pytest

from mtl_keras.layers import PaddingMask


def by_hand(raw, value):
    mask = np.ones(raw.shape[:2], bool)
    for row, sequence in enumerate(raw):
        for step in reversed(range(len(sequence))):
            if (sequence[step] != value).any():
                break
            mask[row, step] = False
    return mask


@pytest.mark.parametrize("value", [0.0, -13.8125, 2])
def test_it_masks_the_end_but_not_pauses(rng, value):
    raw = rng.choice([value, 1.5], size=(40, 7, 2)).astype("float32")
    raw[0] = value
    expected = by_hand(raw, value)
    assert 0 < expected.mean() < 1
    features = raw + 1
    layer = PaddingMask(value)
    np.testing.assert_array_equal(layer.compute_mask([features, raw]), expected)
    np.testing.assert_array_equal(
        layer([features, raw]), np.where(expected[..., None], features, 0)
    )
    np.testing.assert_array_equal(layer([features, raw])._keras_mask, expected)


def test_config():
    layer = PaddingMask(0.5, name="mask")
    again = PaddingMask.from_config(layer.get_config())
    assert (again.padding_value, again.name) == (0.5, "mask")
