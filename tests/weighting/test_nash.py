"""The length of the update of Nash-MTL."""

import numpy as np
import pytest
from gramian_harness import compute_gramians, lengths, regular, sampled, weigh

from mtl_keras.weighting import NashMTL

SCALES = (1e-12, 1e-3, 1.0, 1e12)


def updates_of(jacobians, **arguments):
    """The updates, of shape `(samples, parameters)`."""
    weights = weigh("nash", compute_gramians(jacobians), **arguments)
    return np.einsum("sk,skp->sp", weights, jacobians.astype(float))


def test_by_default_short_gradients_give_a_short_update():
    jacobians = regular(3)
    expected = updates_of(jacobians, max_norm=1e6)
    for scale in SCALES:
        found = updates_of(np.float32(scale) * jacobians)
        size = np.minimum(1, scale * lengths(expected))
        np.testing.assert_allclose(lengths(found), size, rtol=1e-4)


@pytest.mark.parametrize("max_norm", [1.0, 0.1])
def test_a_fixed_norm_is_that_of_every_update(max_norm):
    jacobians = regular(3)
    arguments = {"max_norm": max_norm, "fixed_norm": True}
    expected = updates_of(jacobians, max_norm=1e6)
    expected *= max_norm / lengths(expected)[:, None]
    for scale in SCALES:
        found = updates_of(np.float32(scale) * jacobians, **arguments)
        np.testing.assert_allclose(found, expected, atol=1e-4 * max_norm)


def test_a_fixed_norm_does_not_lengthen_rounding_errors():
    jacobian = np.zeros((1, 2, 3), "float32")
    jacobian[0, :, 0] = 1e-3, -1e-3
    (update,) = updates_of(jacobian, fixed_norm=True)
    assert np.linalg.norm(update) < 1e-5
    # Gradients that sum to 0 round to an update, which stays as it is.
    clipped = lengths(updates_of(sampled(3)))
    found = lengths(updates_of(sampled(3), fixed_norm=True))
    assert (found <= np.maximum(clipped, 1.001)).all()


def test_fixed_norm_is_part_of_the_config():
    assert NashMTL().get_config()["fixed_norm"] is False
    config = NashMTL(fixed_norm=True).get_config()
    assert NashMTL.from_config(config).fixed_norm is True
