"""Properties of every registered method that reads the Gramian."""

import numpy as np
import pytest
import tensorflow as tf
from factory_harness import mostly_slow
from gramian_harness import (
    DETERMINISTIC,
    NAMES,
    NUM_TASKS,
    compute_gramians,
    conflicts,
    lengths,
    regular,
    sampled,
    weigh,
)
from weighting_harness import TASKS, make

# With random orders, with variables, with a solver, in closed form.
ONE_PER_KIND = ("gradvac", "gradnorm", "cagrad", "imtl")

J = np.array([[[-4.0, 1.0, 1.0], [6.0, 1.0, 1.0]]], "float32")

# First and second component of the update; the third equals the second.
REFERENCES = {
    "aligned": (2 * 0.2133, 2 * 0.9673),  # the sum, not the mean
    "cagrad": (0.1835, 1.2041),
    "conflict_free": (0.1588, 2.0706),
    "fairgrad": (0.0766, 0.9985),
    "gradnorm": (2.0, 2.0),
    "gradvac": (0.5848, 3.8012),
    "imtl_g": (0.0767, 1.0),
    "mgda": (0.0, 1.0),
    "nash": (0.0542, 0.7061),
    "pcgrad": (0.5848, 3.8012),
    "upgrad": (0.2929, 1.9004),
}


@pytest.fixture(params=mostly_slow(NAMES, ONE_PER_KIND))
def name(request):
    """Names each method in turn; one of each kind in quick tests."""
    return request.param


@pytest.fixture(params=mostly_slow(NAMES, ["gradvac"]))
def with_state(request):
    """Names each method in turn; one with state in quick tests."""
    return request.param


@pytest.mark.parametrize("method", sorted(REFERENCES))
def test_reference_values(method):
    update = weigh(method, compute_gramians(J))[0] @ J[0]
    first, second = REFERENCES[method]
    np.testing.assert_allclose(update, (first, second, second), atol=1.5e-4)


@pytest.mark.parametrize("num_tasks", mostly_slow(NUM_TASKS, [3]))
def test_weights_are_finite(name, num_tasks):
    jacobians = sampled(num_tasks)
    weights = weigh(name, compute_gramians(jacobians))
    assert weights.shape == jacobians.shape[:2]
    assert np.isfinite(weights).all()
    absent = lengths(jacobians) == 0
    np.testing.assert_array_equal(weights[absent], 0)


@pytest.mark.parametrize("num_tasks", mostly_slow([2, 3, 8], [3]))
@pytest.mark.parametrize(
    ("method", "arguments"),
    [
        ("cagrad", {"c": 1.0}),
        ("fairgrad", {}),
        ("fairgrad", {"alpha": 10.0}),
        ("mgda", {}),
        ("nash", {}),
        ("upgrad", {"regularization": 0.0}),
    ],
)
def test_the_update_conflicts_with_no_task(method, arguments, num_tasks):
    jacobians = sampled(num_tasks)
    weights = weigh(method, compute_gramians(jacobians), **arguments)
    assert np.isfinite(weights).all()
    assert conflicts(jacobians, weights).max() < 1e-4


@pytest.mark.parametrize(
    "method", mostly_slow(DETERMINISTIC, ["imtl", "mgda", "upgrad"])
)
@pytest.mark.parametrize("num_tasks", mostly_slow([3, 8], [3]))
def test_permuted_tasks_permute_the_weights(method, num_tasks, rng):
    jacobians = sampled(num_tasks)[:-1]
    gramians = compute_gramians(jacobians)
    order = rng.permutation(num_tasks)
    permuted = weigh(method, gramians[:, order][:, :, order])
    expected = weigh(method, gramians)[:, order]
    if method in ("gradnorm", "imtl"):
        # Their state changes from sample to sample, and depends on losses.
        permuted, expected = permuted[:1], expected[:1]
    norms = lengths(jacobians)[: len(expected), order]
    sizes = np.abs(expected * norms).max(axis=1, keepdims=True)
    sizes[sizes == 0] = 1
    np.testing.assert_allclose(
        permuted * norms / sizes, expected * norms / sizes, atol=1e-4
    )


def test_a_task_without_labels_changes_no_other_weight(name):
    # Orders of two labelled tasks do not matter, so this holds for all.
    jacobians = regular(2)
    holes = np.insert(jacobians, 1, 0.0, axis=1)
    weights = weigh(name, compute_gramians(holes))[:1]
    expected = weigh(name, compute_gramians(jacobians))[:1]
    np.testing.assert_allclose(weights[:, [0, 2]], expected, rtol=1e-4)
    np.testing.assert_array_equal(weights[:, 1], 0)


@pytest.mark.slow
@pytest.mark.parametrize("method", DETERMINISTIC)
def test_many_tasks_without_labels_change_no_other_weight(method):
    jacobians = regular(3)
    holes = np.insert(jacobians, [0, 0, 1, 2, 3], 0.0, axis=1)
    weights = weigh(method, compute_gramians(holes))
    expected = weigh(method, compute_gramians(jacobians))
    labelled = lengths(holes[0]) > 0
    if method == "gradnorm":
        weights, expected = weights[:1], expected[:1]
    np.testing.assert_allclose(weights[:, labelled], expected, rtol=1e-4)


# How the weights change with the scale of all gradients.
POWERS = {"fairgrad": -1.0, "nash": -1.0}


@pytest.mark.parametrize("num_tasks", mostly_slow([2, 3], [3]))
def test_scale_of_the_gradients(name, num_tasks):
    jacobians = regular(num_tasks, samples=1)
    weights = weigh(name, compute_gramians(jacobians))
    for scale in (1e-14, 1e14):
        found = weigh(name, compute_gramians(np.float32(scale) * jacobians))
        power = POWERS.get(name, 0)
        np.testing.assert_allclose(found, weights * scale**power, rtol=1e-3)


def test_one_task_has_a_weight_of_one(name):
    weighting = make(name, ["only"])
    for gramian in (4.0, 0.0):
        weights = weighting.weights(tf.ones((1,)), tf.fill((1, 1), gramian))
        assert weights.dtype == tf.float32
        assert weights.numpy().tolist() == [1.0]


@pytest.mark.parametrize("number", mostly_slow([np.nan, np.inf], [np.nan]))
def test_a_non_finite_gramian_gives_nan_and_changes_no_state(name, number):
    weighting = make(name, ["left", "right"])
    losses = tf.constant([1.0, 2.0])
    state = [variable.numpy() for variable in weighting.variables]
    broken = weighting.weights(losses, tf.constant([[1.0, 0], [0, number]]))
    assert np.isnan(broken).all()
    for variable, value in zip(weighting.variables, state, strict=True):
        np.testing.assert_array_equal(variable.numpy(), value)


LOSSES = tf.constant([[3.0, 2.0, 1.0], [1.5, 1.9, 0.5], [1.0, 1.8, 0.4]])


def take_step(weighting, losses, gramian):
    """Takes and counts a step; returns its weights."""
    weights = weighting.weights(losses, gramian)
    weighting.count_step()
    return weights


def test_state_round_trip_continues(name):
    gramians = tf.constant(compute_gramians(regular(3, samples=2)))
    weighting, again = make(name), make(name)
    take_step(weighting, LOSSES[0], gramians[0])
    store = {}
    weighting.save_own_variables(store)
    again.load_own_variables(store)
    np.testing.assert_array_equal(
        take_step(again, LOSSES[1], gramians[1]),
        take_step(weighting, LOSSES[1], gramians[1]),
    )
    for a, b in zip(again.variables, weighting.variables, strict=True):
        np.testing.assert_array_equal(a.numpy(), b.numpy())


def test_graph_and_eager_agree_without_retracing(with_state):
    gramians = tf.constant(compute_gramians(regular(3, samples=2)))
    eager, graph = make(with_state), make(with_state)
    traces = []

    @tf.function
    def step(losses, gramian):
        traces.append(1)
        return take_step(graph, losses, gramian)

    for losses, gramian in zip(LOSSES, gramians, strict=False):
        expected = take_step(eager, losses, gramian)
        np.testing.assert_allclose(step(losses, gramian), expected, rtol=1e-5)
    assert len(traces) == 1


def test_two_replicas_weigh_as_one(with_state, two_replicas):
    gramians = tf.constant(compute_gramians(regular(len(TASKS), samples=2)))
    one = make(with_state)
    with two_replicas.scope():
        two = make(with_state)

    @tf.function
    def step(losses, gramian):
        return two_replicas.run(take_step, (two, losses, gramian))

    for losses, gramian in zip(LOSSES, gramians, strict=False):
        expected = take_step(one, losses, gramian)
        found = step(losses, gramian)
        for replica in two_replicas.experimental_local_results(found):
            np.testing.assert_allclose(replica, expected, rtol=1e-5)
    for a, b in zip(one.variables, two.variables, strict=True):
        np.testing.assert_allclose(a.numpy(), b.numpy(), rtol=1e-5)


@pytest.mark.slow
def test_xla_compiles_it(name):
    gramians = tf.constant(compute_gramians(regular(3, samples=1)))
    compiled = make(name)
    step = tf.function(compiled.weights, jit_compile=True)
    np.testing.assert_allclose(
        step(LOSSES[0], gramians[0]),
        take_step(make(name), LOSSES[0], gramians[0]),
        rtol=1e-4,
    )
