"""Convolution of padded sequences, against each sequence separately."""

import keras
import numpy as np
import pytest

from mtl_keras.layers import MaskedConv1D


@pytest.mark.parametrize("dilation", [1, 3])
def test_padding_reads_as_the_zeros_around(rng, dilation):
    layer = MaskedConv1D(4, 5, dilation_rate=dilation)
    plain = keras.layers.Conv1D(4, 5, padding="same", dilation_rate=dilation)
    x = rng.normal(size=(3, 9, 2)).astype("float32")
    lengths = [9, 6, 1]
    mask = np.arange(9) < np.array(lengths)[:, None]
    found = layer(x, mask=mask)
    plain.build(x.shape)
    plain.set_weights(layer.get_weights())
    for row, length in enumerate(lengths):
        single = plain(x[row : row + 1, :length])
        np.testing.assert_allclose(found[row, :length], single[0], atol=1e-5)
    np.testing.assert_allclose(layer(x), plain(x), atol=1e-6)


def test_mask_is_passed_on_and_config_restored(copy_of, rng):
    inputs = keras.Input((6,), dtype="int32")
    x = keras.layers.Embedding(9, 3, mask_zero=True)(inputs)
    assert MaskedConv1D(4, 3)(x)._keras_mask is not None
    layer = MaskedConv1D(4, 3, activation="relu", kernel_regularizer="l2")
    x = rng.normal(size=(2, 6, 3)).astype("float32")
    expected = layer(x)
    again = copy_of(layer, x.shape)
    np.testing.assert_array_equal(again(x), expected)
    assert again.kernel_regularizer is not None
