"""Methods with a solver, against SciPy and by their conditions."""

import numpy as np
import pytest
import scipy.optimize
from factory_harness import mostly_slow
from gramian_harness import compute_gramians, lengths, regular, weigh


@pytest.fixture(params=mostly_slow([2, 3, 6], [3]))
def jacobians(request):
    """Draws well-conditioned gradients of different lengths with conflicts."""
    found = regular(request.param, seed=request.param)
    found[::2] -= found[::2].mean(axis=1, keepdims=True) * 0.9
    stretch = np.random.default_rng(0).uniform(0.3, 3.0, found.shape[:2])
    return (found * stretch[..., None]).astype("float32")


def nonnegative(matrix, target):
    """Solves non-negative least squares with SciPy."""
    return scipy.optimize.nnls(matrix, target, maxiter=1000)[0]


def test_mgda_finds_the_shortest_combination(jacobians):
    weights = weigh("mgda", compute_gramians(jacobians))
    for jacobian, weight in zip(jacobians.astype(float), weights, strict=True):
        # The same ray, without the constraint on the sum.
        rows = np.vstack([jacobian.T, np.ones(len(weight))])
        target = np.zeros(len(rows))
        target[-1] = 1.0
        expected = nonnegative(rows, target)
        np.testing.assert_allclose(weight, expected / expected.sum(), atol=1e-4)
        update = weight @ jacobian
        assert (jacobian @ update > update @ update * (1 - 1e-3) - 1e-5).all()


@pytest.mark.parametrize(
    "normalization", mostly_slow(["l2", "loss", "loss+"], ["loss+"])
)
def test_mgda_of_normalized_gradients(jacobians, normalization):
    # The losses of the harness go from 1 to 2.
    divisors = np.ones(jacobians.shape[:2])
    if "loss" in normalization:
        divisors *= np.linspace(1.0, 2.0, jacobians.shape[1])
    if normalization != "loss":
        divisors *= lengths(jacobians)
    scaled = (jacobians / divisors[..., None]).astype("float32")
    np.testing.assert_allclose(
        weigh("mgda", compute_gramians(jacobians), normalization=normalization),
        weigh("mgda", compute_gramians(scaled)),
        atol=1e-4,
    )


@pytest.mark.parametrize("c", mostly_slow([0.2, 0.5, 1.0], [0.5]))
def test_cagrad_improves_the_worst_task_most(jacobians, c):
    weights = weigh("cagrad", compute_gramians(jacobians), c=c)
    for jacobian, weight in zip(jacobians.astype(float), weights, strict=True):
        mean = jacobian.mean(axis=0)
        radius = c * np.linalg.norm(mean)
        update = weight @ jacobian
        assert np.linalg.norm(update - mean) <= radius * (1 + 1e-3)
        # No update exceeds the value of the dual.
        dual = scipy.optimize.minimize(
            lambda w, rows, mean, radius: (
                w @ rows @ mean + radius * np.linalg.norm(w @ rows)
            ),
            np.full(len(weight), 1 / len(weight)),
            args=(jacobian, mean, radius),
            bounds=[(0, 1)] * len(weight),
            constraints={"type": "eq", "fun": lambda w: w.sum() - 1},
            options={"ftol": 1e-12, "maxiter": 500},
        )
        worst = (jacobian @ update).min()
        scale = lengths(jacobian).max() * np.linalg.norm(mean)
        assert abs(worst - dual.fun) <= 2e-4 * scale


def test_cagrad_is_the_mean_without_a_radius(jacobians):
    weights = weigh("cagrad", compute_gramians(jacobians), c=0.0)
    np.testing.assert_allclose(weights, 1 / jacobians.shape[1], rtol=1e-6)


@pytest.mark.parametrize("max_norm", [0.1, 1e6])
def test_nash_solves_the_bargaining_game(jacobians, max_norm):
    gramians = compute_gramians(jacobians)
    weights = weigh("nash", gramians, max_norm=max_norm)
    for jacobian, gramian, weight in zip(
        jacobians, gramians.astype(float), weights, strict=True
    ):
        products = weight * (gramian @ weight)
        size = 1.0
        if max_norm == 0.1:
            norm = np.linalg.norm(weight @ jacobian)
            np.testing.assert_allclose(norm, 0.1, rtol=1e-4)
            size = products.mean()
        np.testing.assert_allclose(products / size, 1.0, rtol=1e-3)


@pytest.mark.parametrize(
    "alpha", mostly_slow([0.1, 0.5, 1.0, 2.0, 10.0], [2.0])
)
def test_fairgrad_shares_the_gains(jacobians, alpha):
    gramians = compute_gramians(jacobians)
    weights = weigh("fairgrad", gramians, alpha=alpha)
    gains = np.einsum("sij,sj->si", gramians.astype(float), weights)
    assert (weights > 0).all()
    # Terms of a gain that cancel leave rounding errors.
    np.testing.assert_allclose(
        gains, weights ** (-1 / alpha), rtol=2e-3, atol=1e-5 * gains.max()
    )


@pytest.mark.parametrize(
    "regularization", mostly_slow([0.0, 1e-4, 1e-2], [1e-2])
)
def test_upgrad_projects_each_gradient(jacobians, regularization):
    gramians = compute_gramians(jacobians)
    weights = weigh("upgrad", gramians, regularization=regularization)
    num_tasks = jacobians.shape[1]
    for gramian, weight in zip(gramians.astype(float), weights, strict=True):
        # Makes the matrix positive definite.
        lift = regularization * np.trace(gramian) * np.eye(num_tasks)
        factor = np.linalg.cholesky(
            gramian + lift + 1e-6 * np.diag(np.diag(gramian))
        ).T
        expected = np.zeros(num_tasks)
        for column in factor.T:
            expected += nonnegative(factor, -column)
        expected = (expected + 1) / num_tasks
        np.testing.assert_allclose(weight, expected, rtol=2e-4)


def test_upgrad_of_two_tasks_is_half_of_pcgrad():
    gramians = compute_gramians(regular(2))
    np.testing.assert_allclose(
        2 * weigh("upgrad", gramians, regularization=0.0),
        weigh("pcgrad", gramians),
        rtol=1e-4,
    )


def test_upgrad_is_linear_in_the_lengths(jacobians, rng):
    two_lengths = rng.uniform(0.1, 3.0, size=(2, jacobians.shape[1], 1))

    def update(scales):
        scaled = (scales * jacobians).astype("float32")
        weights = weigh("upgrad", compute_gramians(scaled), regularization=0.0)
        return np.einsum("skp,sk->sp", scaled, weights)

    np.testing.assert_allclose(
        update(two_lengths.sum(axis=0)),
        update(two_lengths[0]) + update(two_lengths[1]),
        atol=2e-3,
    )


def test_imtl_g_has_equal_projections(jacobians):
    gramians = compute_gramians(jacobians).astype(float)
    weights = weigh("imtl_g", gramians.astype("float32"))
    for gramian, weight in zip(gramians, weights, strict=True):
        expected = np.linalg.pinv(gramian) @ np.sqrt(np.diag(gramian))
        expected /= expected.sum()
        size = np.abs(expected).max()
        np.testing.assert_allclose(weight / size, expected / size, atol=1e-3)


def test_aligned_makes_the_components_equally_long(jacobians):
    gramians = compute_gramians(jacobians)
    weights = weigh("aligned", gramians)
    for gramian, weight in zip(gramians.astype(float), weights, strict=True):
        values, vectors = np.linalg.eigh(gramian)
        inverse = vectors @ np.diag(values**-0.5) @ vectors.T
        expected = np.sqrt(values[0]) * inverse.sum(axis=1)
        np.testing.assert_allclose(weight, expected, rtol=1e-3, atol=1e-4)


def test_conflict_free_has_equal_cosines(jacobians):
    weights = weigh("conflict_free", compute_gramians(jacobians))
    for jacobian, weight in zip(jacobians.astype(float), weights, strict=True):
        update = weight @ jacobian
        size = np.linalg.norm(update)
        cosines = jacobian @ update / lengths(jacobian) / size
        np.testing.assert_allclose(cosines, cosines[0], atol=1e-3)
        along = (jacobian @ update).sum() / size
        np.testing.assert_allclose(size, along, rtol=1e-3)
