"""Aligned-MTL against the singular values of the Jacobian."""

import numpy as np
import pytest
from factory_harness import mostly_slow
from gramian_harness import compute_gramians, lengths, weigh


def reference(jacobian, rank=None):
    """Computes the update from singular values and vectors."""
    left, values, right = np.linalg.svd(jacobian, full_matrices=False)
    left, values, right = left[:, :rank], values[:rank], right[:rank]
    return values[-1] * left.sum(axis=0) @ right


@pytest.mark.parametrize(
    ("rows", "expected"),
    [
        ([[1.0, 2.0], [1.0, 2.0]], [1.0, 1.0]),
        ([[1.0, 2.0], [2.0, 4.0]], [0.6, 1.2]),
        ([[1.0, 2.0]] * 3, [1.0] * 3),
        ([[1.0, 2.0]] * 3 + [[0.0, 0.0]], [1.0] * 3 + [0.0]),
        # The two cancel each other out along the only component.
        ([[1.0, 2.0], [-1.0, -2.0]], [0.0, 0.0]),
    ],
)
def test_parallel_gradients(rows, expected):
    weights = weigh("aligned", compute_gramians(np.array([rows], "float32")))[0]
    np.testing.assert_allclose(weights, expected, atol=1e-5)


def test_four_parallel_and_one_orthogonal_gradient():
    jacobian = np.zeros((5, 3), "float32")
    jacobian[:4, 0], jacobian[4, 1] = 3.0, 5.0
    weights = weigh("aligned", compute_gramians(jacobian[None]))[0]
    np.testing.assert_allclose(
        weights @ jacobian, reference(jacobian, rank=2), rtol=1e-5, atol=1e-6
    )


@pytest.mark.parametrize("num_tasks", mostly_slow([2, 3, 10], [10]))
def test_gradients_in_very_different_units(num_tasks, rng):
    jacobians = rng.normal(size=(10, num_tasks, 20))
    units = 1e4 ** rng.uniform(-1, 1, size=(10, num_tasks, 1))
    units[:, :2, 0] = 1e-4, 1e4
    jacobians *= units / lengths(jacobians)[..., None]
    jacobians = jacobians.astype("float32")
    weights = weigh("aligned", compute_gramians(jacobians))
    for jacobian, weight in zip(jacobians.astype(float), weights, strict=True):
        expected = reference(jacobian)
        size = np.linalg.norm(expected)
        np.testing.assert_allclose(
            weight @ jacobian, expected, atol=1e-5 * size
        )


def dependent(num_tasks, ratio, kind):
    """Draws long dependent gradients beside shorter ones, and their rank.

    The shortest is `ratio` times as long as the longest.
    """
    rng = np.random.default_rng(num_tasks)
    jacobian = rng.normal(size=(num_tasks, 20))
    jacobian /= lengths(jacobian)[:, None]
    rank = num_tasks - 1
    if kind == "short":
        # The shortest two are parallel.
        jacobian[-2] = -2 * jacobian[-1]
    elif kind == "sum" and num_tasks > 3:
        jacobian[2] = jacobian[0] - 0.7 * jacobian[1]
    elif kind == "mixed" and num_tasks > 3:
        # A long gradient has a part along a short one.
        jacobian[1] = jacobian[0] + jacobian[-1]
    else:
        jacobian[1] = 3 * jacobian[0]
    num_short = max(num_tasks // 2, 1)
    jacobian[-num_short:] *= np.geomspace(1, ratio, num_short + 1)[1:, None]
    if kind == "short":
        jacobian[-2:] *= ratio / lengths(jacobian)[-1]
    return jacobian[rng.permutation(num_tasks)], rank


@pytest.mark.parametrize("num_tasks", mostly_slow(range(3, 13), [3, 7]))
@pytest.mark.parametrize("kind", ["parallel", "sum", "mixed", "short"])
def test_dependent_gradients_of_very_different_lengths(num_tasks, kind):
    ratios = 10.0 ** -np.arange(1, 9)
    samples = [dependent(num_tasks, ratio, kind) for ratio in ratios]
    jacobians = np.array([jacobian for jacobian, _ in samples])
    weights = weigh("aligned", compute_gramians(jacobians))
    for (jacobian, rank), weight in zip(samples, weights, strict=True):
        expected = reference(jacobian, rank)
        size = np.linalg.norm(expected)
        np.testing.assert_allclose(
            weight @ jacobian, expected, atol=1e-4 * size
        )


@pytest.mark.parametrize("ratio", [1e-1, 1e-4, 1e-8])
def test_a_short_gradient_beside_two_parallel_ones(ratio):
    rows = np.array([[1.0, 2.0], [3.0, 6.0], [2.0 * ratio, -ratio]])
    weights = weigh("aligned", compute_gramians(rows[None]))[0]
    np.testing.assert_allclose(
        weights @ rows,
        reference(rows, rank=2),
        atol=1e-5 * ratio,
    )


def test_gradients_that_cancel_out_give_no_update(rng):
    jacobians = rng.normal(size=(5, 3, 12))
    jacobians -= jacobians.mean(axis=1, keepdims=True)
    weights = weigh("aligned", compute_gramians(jacobians))
    np.testing.assert_array_equal(weights, 0)
