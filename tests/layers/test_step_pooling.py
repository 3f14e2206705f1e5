"""Pooling over unmasked steps, against masked arrays in numpy."""

import keras
import numpy as np
import pytest

from mtl_keras.layers import StepPooling


@pytest.mark.parametrize("pooling", ["average", "max"])
def test_it_pools_what_the_mask_leaves(rng, pooling):
    x = rng.normal(size=(5, 7, 3)).astype("float32") - 2
    mask = rng.random((5, 7)) < 0.5
    mask[0], mask[1] = True, False
    hidden = np.broadcast_to(~mask[..., None], x.shape)
    masked = np.ma.masked_array(x, hidden)
    reduce = masked.mean if pooling == "average" else masked.max
    expected = reduce(axis=1).filled(0)
    layer = StepPooling(pooling)
    np.testing.assert_allclose(layer(x, mask=mask), expected, atol=1e-6)
    np.testing.assert_allclose(layer(x)[0], expected[0], atol=1e-6)


def test_half_precision_counts_long_sequences_exactly():
    layer = StepPooling(dtype="float16")
    x = np.ones((1, 5000, 1), "float16")
    assert float(layer(x, mask=np.ones((1, 5000), bool))[0, 0]) == 1


def test_it_uses_the_mask_of_a_tensor_and_returns_none(copy_of):
    inputs = keras.Input((4,), dtype="int32")
    x = keras.layers.Embedding(9, 3, mask_zero=True)(inputs)
    pooled = StepPooling("max")(x)
    assert pooled.shape == (None, 3)
    assert getattr(pooled, "_keras_mask", None) is None
    assert copy_of(StepPooling("max"), (None, 4, 3)).pooling == "max"


def test_unknown_pooling():
    with pytest.raises(ValueError, match="pooling='mean'; expected one of"):
        StepPooling("mean")
