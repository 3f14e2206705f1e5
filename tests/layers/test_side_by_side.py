"""Product of inputs and several kernels."""

import numpy as np
import pytest

from mtl_keras.layers.side_by_side import multiply_side_by_side


@pytest.mark.parametrize("shape", [(5, 6), (5, 3, 6), (0, 6)])
def test_each_kernel_by_itself(rng, shape):
    x = rng.normal(size=shape).astype("float32")
    kernels = rng.normal(size=(6, 3, 4)).astype("float32")
    found = multiply_side_by_side(x, kernels)
    assert found.shape == (shape[0], 3, 4)
    for number in range(3):
        own = x if x.ndim == 2 else x[:, number]
        np.testing.assert_allclose(
            found[:, number], own @ kernels[:, number], rtol=1e-4, atol=1e-5
        )
