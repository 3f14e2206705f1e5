"""Light decoder, against sums of upsampled maps in numpy."""

import keras
import numpy as np
import pytest
from factory_harness import predictions

from mtl_keras.models.light_decoder import light_decoder


def enlarged(x, factor):
    """Repeats each pixel as a square."""
    return x.repeat(factor, axis=1).repeat(factor, axis=2)


@pytest.mark.parametrize("factors", [(1, 2), (2, 2, 3), (3,)])
def test_it_sums_the_upsampled_maps(factors, rng):
    size, shapes = 24, []
    for level, factor in enumerate(factors):
        size //= factor
        shapes.append((size, size, 2 + level))
    inputs = [keras.Input(shape) for shape in shapes]
    features = light_decoder(
        inputs,
        factors,
        5,
        activation="linear",
        normalization=None,
        regularizer=None,
        name="d",
    )
    model = keras.Model(inputs, features)
    x = [rng.normal(size=(2, *shape)).astype("float32") for shape in shapes]
    # The last convolution is the identity.
    middle = np.zeros((3, 3, 5, 5), "float32")
    middle[1, 1] = np.eye(5)
    model.get_layer("d_conv_1").kernel.assign(middle)
    total = 0.0
    for level in range(len(factors), 0, -1):
        kernel, bias = model.get_layer(f"d_{level}_lateral").get_weights()
        total = total + x[level - 1] @ kernel[0, 0] + bias
        total = enlarged(total, factors[level - 1])
    assert total.shape == (2, 24, 24, 5)
    np.testing.assert_allclose(
        predictions(model, x), total, rtol=1e-4, atol=1e-5
    )
