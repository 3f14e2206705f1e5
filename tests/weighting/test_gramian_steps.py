"""Methods with sequential corrections or state, against numpy loops."""

import numpy as np
import pytest
import tensorflow as tf
from gramian_harness import compute_gramians, regular
from weighting_harness import make

from mtl_keras.weighting.task_orders import task_orders

TASKS = ["first", "second", "third", "fourth"]


def draw_orders(weighting):
    """Returns the orders that a method draws in its next step."""
    return task_orders(len(TASKS), weighting.seed, weighting.steps).numpy()


def pcgrad(jacobian, orders):
    """Computes the update of PCGrad."""
    total = 0.0
    for task, order in enumerate(orders):
        gradient = jacobian[task].copy()
        for other in order:
            product = gradient @ jacobian[other]
            if other != task and product < 0:
                gradient -= (
                    product / (jacobian[other] @ jacobian[other])
                ) * jacobian[other]
        total = total + gradient
    return total


def gradvac(jacobian, orders, targets, beta):
    """Computes the update of GradVac, and changes the targets."""
    total = 0.0
    for task, order in enumerate(orders):
        gradient = jacobian[task].copy()
        for other in order:
            if other == task:
                continue
            norm = np.linalg.norm(jacobian[other])
            length = np.linalg.norm(gradient)
            cosine = gradient @ jacobian[other] / norm / length
            target = targets[task, other]
            if cosine < target:
                sine = np.sqrt(1 - target**2)
                pull = target * np.sqrt(1 - cosine**2) - cosine * sine
                gradient += length * pull / (norm * sine) * jacobian[other]
            targets[task, other] = (1 - beta) * target + beta * cosine
        total = total + gradient
    return total


@pytest.fixture
def jacobians():
    """Draws gradients of five steps, which often conflict."""
    found = regular(len(TASKS), samples=5)
    return found - 0.9 * found.mean(axis=1, keepdims=True)


def run(weighting, jacobians):
    """Yields the gradients, orders and update of each step."""
    weigh = tf.function(weighting.weights)
    for jacobian, gramian in zip(
        jacobians, compute_gramians(jacobians), strict=True
    ):
        orders = draw_orders(weighting)
        weights = weigh(tf.ones(len(TASKS)), tf.constant(gramian)).numpy()
        weighting.count_step()
        yield jacobian.astype(float), orders, weights @ jacobian


def test_pcgrad(jacobians):
    for jacobian, orders, update in run(make("pcgrad", TASKS), jacobians):
        np.testing.assert_allclose(update, pcgrad(jacobian, orders), atol=1e-4)


@pytest.mark.parametrize("beta", [0.0, 0.5])
def test_gradvac(jacobians, beta):
    targets = np.zeros((len(TASKS), len(TASKS)))
    weighting = make("gradvac", TASKS, beta=beta)
    for jacobian, orders, update in run(weighting, jacobians):
        expected = gradvac(jacobian, orders, targets, beta)
        np.testing.assert_allclose(update, expected, atol=1e-3)
    if beta == 0:
        assert not targets.any()


def test_gradvac_is_finite_for_tasks_that_always_agree(rng):
    weighting = make("gradvac", ["left", "right"])
    weigh = tf.function(weighting.weights)
    for _ in range(60):
        weights = weigh(tf.ones(2), tf.ones((2, 2))).numpy()
    np.testing.assert_allclose(weights, 1.0, atol=1e-3)
    weights = weigh(tf.ones(2), tf.constant([[1.0, -0.9], [-0.9, 1.0]]))
    assert np.isfinite(weights).all() and np.abs(weights).max() < 1000


def test_orders_are_random_and_repeat():
    draws = [task_orders(5, 0, tf.constant(step)).numpy() for step in (0, 0, 1)]
    np.testing.assert_array_equal(draws[0], draws[1])
    assert (draws[0] != draws[2]).any()
    assert (task_orders(5, 1, tf.constant(0)).numpy() != draws[0]).any()
    assert len({tuple(row) for row in draws[0]}) > 1
    np.testing.assert_array_equal(
        np.sort(draws[0], axis=1)[:, :], [range(5)] * 5
    )


def test_seeds_change_orders_and_weights(jacobians):
    updates = [
        [update for *_, update in run(make("pcgrad", TASKS, seed=s), jacobians)]
        for s in (0, 0, 1)
    ]
    np.testing.assert_array_equal(updates[0], updates[1])
    assert not np.allclose(updates[0], updates[2])


def gradnorm(norms, losses, alpha, rate):
    """Yields the weights of GradNorm, for labels that may be missing."""
    num_tasks = norms.shape[1]
    weights, first = np.ones(num_tasks), np.zeros(num_tasks)
    mean, square, counts = np.zeros((3, num_tasks))
    for norm, loss in zip(norms, losses, strict=True):
        here = loss > 0
        yield np.where(here, weights, 0)
        first[here & (first == 0)] = loss[here & (first == 0)]
        length = norm / norm[here].mean()
        ratio = loss[here] / first[here]
        weighted = weights[here] * length[here]
        target = weighted.mean() * (ratio / ratio.mean()) ** alpha
        gradient = np.sign(weighted - target) * length[here]
        counts[here] += 1
        mean[here] = 0.9 * mean[here] + 0.1 * gradient
        square[here] = 0.999 * square[here] + 0.001 * gradient**2
        moved = weights[here] - rate * (
            mean[here] / (1 - 0.9 ** counts[here])
        ) / (np.sqrt(square[here] / (1 - 0.999 ** counts[here])) + 1e-8)
        weights[here] = moved * weights[here].sum() / moved.sum()


@pytest.fixture(scope="module")
def gradnorm_weigher():
    """Returns a function that resets GradNorm and returns its graph."""
    weighting = make("gradnorm", TASKS, alpha=1.2, learning_rate=0.05)
    start = [variable.numpy() for variable in weighting.variables]
    weigh = tf.function(weighting.weights)

    def begin():
        for variable, value in zip(weighting.variables, start, strict=True):
            variable.assign(value)
        return weigh

    return begin


@pytest.mark.parametrize("missing", [False, True])
@pytest.mark.parametrize("scale", [1e-12, 1.0, 1e12])
def test_gradnorm(gradnorm_weigher, rng, missing, scale):
    norms = rng.uniform(0.5, 2.0, size=(12, 4))
    losses = np.exp(rng.normal(size=(12, 4)))
    if missing:
        losses[[0, 3, 3, 7], [1, 0, 2, 3]] = 0
    weigh = gradnorm_weigher()
    expected = gradnorm(norms, losses, 1.2, 0.05)
    for norm, loss, weights in zip(norms, losses, expected, strict=True):
        gramian = np.diag((scale * norm * (loss > 0)) ** 2)
        found = weigh(
            tf.constant(loss, "float32"), tf.constant(gramian, "float32")
        )
        np.testing.assert_allclose(found, weights, rtol=1e-4)
    assert weights.min() < 0.9 < 1.1 < weights.max()


def test_gradnorm_weights_the_slow_task_more():
    weighting = make("gradnorm", ["slow", "fast"])
    weigh = tf.function(weighting.weights)
    for step in range(20):
        losses = tf.constant([1.0, 0.9**step], "float32")
        weights = weigh(losses, tf.eye(2)).numpy()
    assert weights[0] > 1.1 and weights[1] < 0.9
    np.testing.assert_allclose(weights.sum(), 2.0, rtol=1e-5)


@pytest.mark.parametrize(
    ("name", "arguments", "error", "match"),
    [
        ("cagrad", {"c": -0.1}, ValueError, "c=-0.1; expected"),
        ("fairgrad", {"alpha": 0.0}, ValueError, "alpha=0.0; expected"),
        ("fairgrad", {"alpha": 11}, ValueError, "alpha=11; expected"),
        ("gradnorm", {"alpha": -1.0}, ValueError, "alpha=-1.0; expected"),
        ("gradnorm", {"learning_rate": 0}, ValueError, "learning_rate=0; "),
        ("gradvac", {"beta": 1.1}, ValueError, "beta=1.1; expected"),
        ("gradvac", {"seed": -1}, ValueError, "seed=-1; expected"),
        ("mgda", {"normalization": "loss-"}, ValueError, "Did you mean 'loss"),
        ("mgda", {"normalization": None}, ValueError, "normalization=None"),
        ("nash", {"max_norm": 0.0}, ValueError, "max_norm=0.0; expected"),
        ("pcgrad", {"seed": 0.5}, TypeError, "seed=0.5 is not an integer"),
        ("upgrad", {"regularization": -1}, ValueError, "regularization=-1"),
        ("upgrad", {"regularization": "x"}, TypeError, "is not a number"),
    ],
)
def test_arguments_out_of_range(name, arguments, error, match):
    with pytest.raises(error, match=match):
        make(name, **arguments)
