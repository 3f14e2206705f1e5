"""CAGrad against a reference solver, for losses in very different units."""

import numpy as np
import pytest
import scipy.optimize
from factory_harness import mostly_slow
from gramian_harness import compute_gramians, lengths, weigh

SAMPLES = 6


def shortest(units, wanted):
    """Computes the shortest `p` with `units @ p >= wanted`, and its weights.

    It is least distance programming by non-negative least squares (Lawson and
    Hanson, 1974), with SciPy.
    """
    rows = np.vstack([units.T, wanted])
    target = np.zeros(len(rows))
    target[-1] = 1.0
    combination = scipy.optimize.nnls(rows, target, maxiter=10000)[0]
    residual = rows @ combination - target
    if residual[-1] > -1e-12:
        # No `p` of any length reaches it.
        return np.full(units.shape[1], np.inf), combination
    return residual[:-1] / -residual[-1], combination / -residual[-1]


def reference(jacobian, c):
    """Computes the update, its smallest gain and the bound of the dual."""
    norms = np.linalg.norm(jacobian, axis=1)
    units, shares = jacobian / norms[:, None], norms.min() / norms
    mean = jacobian.mean(axis=0)
    length = np.linalg.norm(mean)
    cosines = units @ mean / length
    low, high = (cosines / shares).min(), ((cosines + c) / shares).min()
    for _ in range(200):
        middle = (low + high) / 2
        offset, _ = shortest(units, middle * shares - cosines)
        if np.linalg.norm(offset) <= c:
            low = middle
        else:
            high = middle
    offset, combination = shortest(units, low * shares - cosines)
    update = mean + length * offset
    weights = combination / norms / (combination / norms).sum()
    combined = weights @ jacobian
    bound = combined @ mean + c * length * np.linalg.norm(combined)
    return update, (jacobian @ update).min(), bound


def sample(num_tasks, unit):
    """Draws Jacobians with rows of length `1 / unit` to `unit`."""
    rng = np.random.default_rng(num_tasks)
    found = rng.normal(size=(SAMPLES, num_tasks, 20))
    scales = unit ** rng.uniform(-1, 1, found.shape[:2])
    scales[:, :2] = unit, 1 / unit
    norms = np.linalg.norm(found, axis=-1)
    return (found * (scales / norms)[..., None]).astype("float32")


@pytest.mark.parametrize("unit", [1.0, 1e2, 1e4])
@pytest.mark.parametrize("num_tasks", mostly_slow([2, 3, 10], [10]))
@pytest.mark.parametrize("c", mostly_slow([0.1, 0.4, 1.0, 2.0], [1.0]))
def test_the_update_is_the_optimum_in_any_units(num_tasks, c, unit):
    jacobians = sample(num_tasks, unit)
    weights = weigh("cagrad", compute_gramians(jacobians), c=c)
    for jacobian, weight in zip(jacobians.astype(float), weights, strict=True):
        update = weight @ jacobian
        expected, gain, bound = reference(jacobian, c)
        # No update gains more than the bound: the reference is the optimum.
        assert gain == pytest.approx(bound, rel=1e-6)
        size = np.linalg.norm(expected)
        np.testing.assert_allclose(update, expected, atol=3e-5 * size)
        # Each gain is compared in the unit of its task.
        missing = (gain - jacobian @ update) / lengths(jacobian) / size
        assert missing.max() < 3e-5
        radius = c * np.linalg.norm(jacobian.mean(axis=0))
        offset = np.linalg.norm(update - jacobian.mean(axis=0))
        assert offset == pytest.approx(radius, rel=1e-4)


def dependent(num_tasks, num_parameters):
    """Draws more gradients than parameters, some nearly without a mean."""
    rng = np.random.default_rng(num_tasks)
    found = rng.normal(size=(SAMPLES, num_tasks, num_parameters))
    found[::2] -= 0.95 * found[::2].mean(axis=1, keepdims=True)
    return found


@pytest.mark.parametrize("num_tasks", mostly_slow([5, 8, 11, 100], [11]))
@pytest.mark.parametrize("c", mostly_slow([0.5, 0.9, 1.2], [0.9]))
def test_dependent_gradients(num_tasks, c):
    jacobians = dependent(num_tasks, 20 if num_tasks > 20 else 3)
    weights = weigh("cagrad", compute_gramians(jacobians), c=c)
    for jacobian, weight in zip(jacobians, weights, strict=True):
        _, gain, _ = reference(jacobian, c)
        update = weight @ jacobian
        mean = np.linalg.norm(jacobian.mean(axis=0))
        offset = np.linalg.norm(update - jacobian.mean(axis=0))
        assert offset <= c * mean * (1 + 1e-4)
        missing = gain - (jacobian @ update).min()
        assert missing <= 2e-4 * mean * lengths(jacobian).max()


def test_eleven_gradients_in_three_dimensions():
    # A search that steps along wrong pieces from below stops at 0.83 of 0.9.
    rng = np.random.default_rng(13)
    num_tasks = rng.integers(3, 13)
    jacobian = rng.normal(size=(num_tasks, 3))
    weights = weigh("cagrad", compute_gramians(jacobian[None]), c=0.9)[0]
    mean = jacobian.mean(axis=0)
    offset = np.linalg.norm(weights @ jacobian - mean) / np.linalg.norm(mean)
    assert offset == pytest.approx(0.9, rel=1e-4)
    assert (jacobian @ (weights @ jacobian)).min() == pytest.approx(
        -0.0392, abs=1e-4
    )


def test_three_gradients_of_very_different_lengths():
    jacobian = np.array(
        [[-3000.0, -3000.0, 3000.0], [-0.01, 0.03, 0.0], [3e4, 0.0, -2e4]],
        "float32",
    )
    weights = weigh("cagrad", compute_gramians(jacobian[None]), c=1.0)[0]
    jacobian = jacobian.astype(float)
    update = weights @ jacobian
    cosines = jacobian @ update / lengths(jacobian) / np.linalg.norm(update)
    assert cosines.min() > -1e-3
    mean = jacobian.mean(axis=0)
    offset = np.linalg.norm(update - mean) / np.linalg.norm(mean)
    assert offset == pytest.approx(1.0, rel=1e-4)


@pytest.mark.parametrize("c", [0.5, 1.0])
def test_opposite_gradients_in_any_units(c):
    unit = 1e4 ** np.linspace(-1, 1, SAMPLES)
    jacobians = np.zeros((SAMPLES, 2, 12))
    jacobians[:, 0, 0], jacobians[:, 1, 0] = 1.0, -unit
    weights = weigh(
        "cagrad", compute_gramians(jacobians.astype("float32")), c=c
    )
    updates = np.einsum("sk,skp->sp", weights, jacobians)
    mean = jacobians.mean(axis=1)
    offsets = lengths(updates - mean) / lengths(mean)
    assert (offsets <= c * (1 + 1e-4)).all()
    if c == 1:
        np.testing.assert_allclose(
            lengths(updates) / lengths(mean), 0, atol=1e-3
        )
