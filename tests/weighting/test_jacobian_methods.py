"""Methods that read the Jacobian, against numpy."""

import numpy as np
import pytest
import tensorflow as tf

from mtl_keras.weighting import DBMTL, GradDrop

METHODS = {"db_mtl": DBMTL, "graddrop": GradDrop}
ONES = np.ones(3, "float32")


def make(name, num_parameters=5, tasks=("a", "b", "c"), **arguments):
    """Creates a method with all of its state."""
    weighting = METHODS[name](**arguments)
    weighting.build(tasks)
    weighting.build_jacobian(num_parameters)
    return weighting


def aggregate(weighting, losses, jacobian):
    """Takes a step; returns the update."""
    losses = tf.constant(losses, "float32")
    jacobian = tf.constant(jacobian, "float32")
    update, _ = weighting.aggregate(losses, jacobian)
    weighting.count_step()
    return update.numpy()


def numpy_db_mtl(history, beta=0.9):
    """Computes the update after a history of losses and Jacobians."""
    average = 0
    for losses, jacobian in history:
        rows = jacobian / (losses + 1e-8)[:, None]
        average = beta * average + (1 - beta) * rows
    average = average / (1 - beta ** len(history))
    norms = np.linalg.norm(average, axis=1)
    return sum(norms.max() / norms[i] * average[i] for i in range(len(norms)))


@pytest.mark.parametrize("beta", [0.0, 0.5, 0.9])
def test_db_mtl_is_the_numpy_version(beta, rng):
    weighting, history = make("db_mtl", beta=beta), []
    for _ in range(6):
        losses, jacobian = np.exp(rng.normal(size=3)), rng.normal(size=(3, 5))
        history.append((losses, jacobian))
        np.testing.assert_allclose(
            aggregate(weighting, losses, jacobian),
            numpy_db_mtl(history, beta),
            rtol=1e-4,
        )


def test_db_mtl_ignores_the_scales_of_losses(rng):
    losses, jacobian = np.exp(rng.normal(size=3)), rng.normal(size=(3, 5))
    scale = np.array([1e-3, 1.0, 1e4])
    expected = aggregate(make("db_mtl"), losses, jacobian)
    found = aggregate(make("db_mtl"), losses * scale, jacobian * scale[:, None])
    np.testing.assert_allclose(found, expected, rtol=1e-3)


def test_db_mtl_gives_heads_the_gradient_of_the_logarithm():
    weighting = make("db_mtl")
    losses = tf.constant([0.5, 0.0, 4.0])
    with tf.GradientTape() as tape:
        tape.watch(losses)
        loss = weighting.combine(losses)
    weights = tape.gradient(loss, losses)
    np.testing.assert_allclose(weights, [2.0, 0.0, 0.25], rtol=1e-5)
    assert weighting.requires == "jacobian"


def test_db_mtl_keeps_the_average_of_an_absent_task(rng):
    gap, history = make("db_mtl"), []
    for step in range(5):
        losses, jacobian = np.exp(rng.normal(size=3)), rng.normal(size=(3, 5))
        if step == 2:
            losses[1], jacobian[1] = 0.0, 0.0
            others = make("db_mtl", tasks=("a", "c"))
            for old in [*history, (losses, jacobian)]:
                expected = aggregate(others, old[0][[0, 2]], old[1][[0, 2]])
            found = aggregate(gap, losses, jacobian)
            np.testing.assert_allclose(found, expected, rtol=1e-4)
        else:
            aggregate(gap, losses, jacobian)
        history.append((losses, jacobian))
    alone = make("db_mtl", tasks=("b",))
    for step, (losses, jacobian) in enumerate(history):
        if step != 2:
            aggregate(alone, losses[1:2], jacobian[1:2])
    variables = zip(gap.variables, alone.variables, strict=True)
    for several, one in variables:
        if len(several.shape):
            np.testing.assert_allclose(several[1], one[0], rtol=1e-5)


def test_db_mtl_loads_an_average_of_unknown_size(rng):
    weighting = make("db_mtl")
    aggregate(weighting, ONES, rng.normal(size=(3, 5)))
    store = {}
    weighting.save_own_variables(store)
    again = DBMTL()
    again.build(weighting.task_names)
    again.load_own_variables(store)
    again.build_jacobian(5)
    jacobian = rng.normal(size=(3, 5))
    np.testing.assert_array_equal(
        aggregate(again, ONES, jacobian), aggregate(weighting, ONES, jacobian)
    )


@pytest.mark.parametrize("overflow", [np.inf, np.nan])
def test_db_mtl_ignores_a_step_that_overflowed(overflow, rng):
    weighting, untouched = make("db_mtl"), make("db_mtl")
    first, second = rng.normal(size=(2, 3, 5))
    wrong = second.copy()
    wrong[1, 2] = overflow
    for each in (weighting, untouched):
        aggregate(each, ONES, first)
    assert not np.isfinite(aggregate(weighting, ONES, wrong)).all()
    np.testing.assert_array_equal(
        aggregate(weighting, ONES, second), aggregate(untouched, ONES, second)
    )


def test_graddrop_keeps_one_sign_of_each_parameter(rng):
    jacobian = rng.normal(size=(3, 500)).astype("float32")
    update = aggregate(make("graddrop"), ONES, jacobian)
    positive = np.maximum(jacobian, 0).sum(axis=0)
    negative = np.minimum(jacobian, 0).sum(axis=0)
    np.testing.assert_allclose(
        update, np.where(update > 0, positive, negative), rtol=1e-5
    )
    agree = (jacobian > 0).all(axis=0) | (jacobian < 0).all(axis=0)
    np.testing.assert_allclose(
        update[agree], jacobian.sum(axis=0)[agree], rtol=1e-5
    )


def test_graddrop_keeps_signs_with_their_probability():
    # Shares of the positive gradients: 3/4, 1/2, 1 and 0.
    jacobian = np.repeat([[3.0, 2.0, 1.0, -1.0]], 1, axis=0)
    jacobian = np.concatenate([jacobian, [[-1.0, -2.0, 1.0, -1.0]]])
    jacobian = np.repeat(jacobian, 5000, axis=1)
    update = aggregate(make("graddrop", 20000), np.ones(2), jacobian)
    shares = (update > 0).reshape(4, 5000).mean(axis=1)
    np.testing.assert_allclose(shares, [0.75, 0.5, 1, 0], atol=0.03)
    assert shares[2:].tolist() == [1, 0]


@pytest.mark.parametrize("leak", [0.0, 0.3, 1.0])
def test_graddrop_leaks_between_dropping_and_the_sum(leak, rng):
    jacobian = rng.normal(size=(3, 5))
    dropped = aggregate(make("graddrop"), ONES, jacobian)
    found = aggregate(make("graddrop", leak=leak), ONES, jacobian)
    expected = leak * jacobian.sum(axis=0) + (1 - leak) * dropped
    np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-6)


def test_graddrop_draws_depend_on_step_and_seed(rng):
    jacobian = rng.normal(size=(3, 50))

    def updates(seed):
        weighting = make("graddrop", 50, seed=seed)
        return [aggregate(weighting, ONES, jacobian) for _ in range(2)]

    first, second = updates(0)
    assert not np.array_equal(first, second)
    np.testing.assert_array_equal(updates(0), [first, second])
    assert not np.array_equal(updates(1)[0], first)


# Both methods


@pytest.mark.parametrize("name", sorted(METHODS))
def test_one_task_determines_the_update(name, rng):
    jacobian = rng.normal(size=(1, 5))
    update = aggregate(make(name, tasks=("a",)), np.ones(1), jacobian)
    np.testing.assert_allclose(update, jacobian[0], rtol=1e-5)


@pytest.mark.parametrize("name", sorted(METHODS))
def test_absent_tasks_do_not_affect_others(name, rng):
    jacobian = rng.normal(size=(3, 5))
    jacobian[1] = 0
    found = aggregate(make(name), np.array([1.0, 0.0, 1.0]), jacobian)
    others = make(name, tasks=("a", "c"))
    expected = aggregate(others, np.ones(2), jacobian[[0, 2]])
    np.testing.assert_allclose(found, expected, rtol=1e-5)
    nothing = aggregate(make(name), np.zeros(3), np.zeros((3, 5)))
    assert not nothing.any()


@pytest.mark.parametrize("name", sorted(METHODS))
def test_gradients_of_any_size_stay_finite(name, rng):
    weighting = make(name)
    for exponent in (-10, -5, 0, 5, 10):
        for losses in (1e-10, 1.0, 1e10):
            jacobian = 10.0**exponent * rng.normal(size=(3, 5))
            jacobian[0] = 0
            update = aggregate(weighting, losses * ONES, jacobian)
            assert np.isfinite(update).all()
    for variable in weighting.variables:
        assert np.isfinite(variable.numpy()).all()


@pytest.mark.parametrize("name", sorted(METHODS))
def test_graph_and_two_replicas_agree_with_eager(name, rng, two_replicas):
    eager, graph = make(name), make(name)
    with two_replicas.scope():
        replicated = make(name)
    step = tf.function(lambda *arguments: graph.aggregate(*arguments)[0])

    @tf.function
    def replicated_step(losses, jacobian):
        update, _ = two_replicas.run(
            replicated.aggregate, args=(losses, jacobian)
        )
        two_replicas.run(replicated.count_step)
        return update

    for _ in range(3):
        jacobian = tf.constant(rng.normal(size=(3, 5)), "float32")
        expected = aggregate(eager, ONES, jacobian)
        found = [step(tf.constant(ONES), jacobian)]
        graph.count_step()
        found += two_replicas.experimental_local_results(
            replicated_step(tf.constant(ONES), jacobian)
        )
        for update in found:
            np.testing.assert_allclose(update, expected, rtol=1e-5)


@pytest.mark.parametrize(
    ("make_wrong", "match"),
    [
        (lambda: DBMTL(beta=1.0), "beta=1.0; .*less than 1"),
        (lambda: DBMTL(beta=-0.1), "beta=-0.1; .*0 or more"),
        (lambda: GradDrop(leak=1.5), "leak=1.5; .*1 or less"),
        (lambda: GradDrop(seed=-1), "seed=-1; expected 0 or more"),
    ],
)
def test_impossible_arguments(make_wrong, match):
    with pytest.raises(ValueError, match=match):
        make_wrong()
