"""Linear combinations of tensors."""

import numpy as np
import pytest

from mtl_keras.layers import WeightedSum


@pytest.mark.parametrize("per_channel", [False, True])
def test_it_is_alpha_times_the_tensors(rng, per_channel, copy_of):
    layer = WeightedSum(3, per_channel=per_channel, initializer="zeros")
    x = [rng.normal(size=(5, 4)).astype("float32") for _ in range(3)]
    np.testing.assert_array_equal(layer(x), np.zeros((5, 4)))
    alpha = rng.normal(size=layer.alpha.shape).astype("float32")
    assert alpha.shape == ((3, 4) if per_channel else (3,))
    layer.alpha.assign(alpha)
    expected = sum(alpha[j] * x[j] for j in range(3))
    np.testing.assert_allclose(layer(x), expected, rtol=1e-5, atol=1e-6)
    again = copy_of(layer, [(5, 4)] * 3)
    np.testing.assert_array_equal(again(x), layer(x))


def test_another_number_of_tensors_is_refused(rng):
    with pytest.raises(ValueError, match="sums 2 tensors; found 3"):
        WeightedSum(2)([np.ones((1, 4))] * 3)
    with pytest.raises(ValueError, match="num_inputs: found 0"):
        WeightedSum(0)
