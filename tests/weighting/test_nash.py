"""The length of the update of Nash-MTL."""

import numpy as np
import pytest
from gramian_harness import compute_gramians, lengths, regular, sampled, weigh

from mtl_keras.weighting import NashMTL

SCALES = (1e-12, 1e-3, 1.0, 1e12)


def compute_updates(jacobians, **arguments):
    """Computes the updates, of shape `(samples, parameters)`."""
    weights = weigh("nash", compute_gramians(jacobians), **arguments)
    return np.einsum("sk,skp->sp", weights, jacobians.astype(float))


@pytest.mark.parametrize("scale", SCALES)
@pytest.mark.parametrize("max_norm", [0.1, 1.0, 1e6])
def test_the_length_does_not_depend_on_the_gradients(max_norm, scale):
    jacobians = regular(3)
    updates = compute_updates(np.float32(scale) * jacobians, max_norm=max_norm)
    size = min(max_norm, np.sqrt(3))
    np.testing.assert_allclose(lengths(updates), size, rtol=1e-4)
    # The default length is 1.
    directions = compute_updates(jacobians)
    np.testing.assert_allclose(updates / size, directions, atol=1e-4)


@pytest.mark.parametrize("scale", SCALES)
def test_without_scale_invariance_short_gradients_give_a_short_update(scale):
    jacobians = regular(3)
    gramians = compute_gramians(jacobians).astype(float)
    frobenius = np.linalg.norm(gramians, axis=(1, 2))
    updates = compute_updates(
        np.float32(scale) * jacobians, scale_invariant=False
    )
    # The weights solve G w / |G| = 1 / w.
    size = np.minimum(1, scale * np.sqrt(3 * frobenius))
    np.testing.assert_allclose(lengths(updates), size, rtol=1e-4)


def test_unequal_units_change_no_update():
    jacobians = regular(3)
    units = np.array([1e-4, 1.0, 1e4], "float32")[:, None]
    np.testing.assert_allclose(
        compute_updates(units * jacobians),
        compute_updates(jacobians),
        atol=1e-4,
    )


def test_gradients_that_cancel_give_no_update():
    jacobian = np.zeros((1, 2, 3), "float32")
    jacobian[0, :, 0] = 1e-3, -1e-3
    (update,) = compute_updates(jacobian)
    assert np.linalg.norm(update) < 1e-3
    assert np.isfinite(compute_updates(sampled(3))).all()


def test_scale_invariant_is_part_of_the_config():
    assert NashMTL().get_config()["scale_invariant"] is True
    config = NashMTL(scale_invariant=False).get_config()
    assert NashMTL.from_config(config).scale_invariant is False
