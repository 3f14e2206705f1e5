"""Properties of every registered method that reads losses.

A new method is tested here once it is in the registry. Arguments that it needs
are in `ARGUMENTS` of the harness.
"""

import numpy as np
import pytest
import tensorflow as tf
from factory_harness import mostly_slow
from weighting_harness import TASKS, make, methods_requiring, run, take_step

NAMES = methods_requiring("losses")
# With a history, with variables that the method or the optimizer trains, with a
# draw, and in closed form.
ONE_PER_KIND = ("dwa", "famo", "uncertainty", "rlw", "uw_so")


@pytest.fixture(params=mostly_slow(NAMES, ONE_PER_KIND))
def name(request):
    """Names each method in turn; one of each kind in quick tests."""
    return request.param


@pytest.fixture(params=mostly_slow(NAMES, ["dwa", "famo", "rlw"]))
def replicated(request):
    """Names each method in turn; three kinds in quick tests."""
    return request.param


@pytest.fixture(params=mostly_slow(NAMES, ["uncertainty"]))
def compiled(request):
    """Names each method in turn; one in quick tests."""
    return request.param


@pytest.fixture
def epochs(rng):
    """Draws losses of four epochs of two steps."""
    return np.exp(rng.normal(size=(4, 2, len(TASKS)))).astype("float32")


def test_state_round_trip_continues(name, epochs):
    weighting, again = make(name), make(name)
    run(weighting, epochs[:2])
    store = {}
    weighting.save_own_variables(store)
    again.load_own_variables(store)
    expected = run(weighting, epochs[2:])
    np.testing.assert_array_equal(run(again, epochs[2:]), expected)


def test_an_empty_store_leaves_the_initial_state(replicated, epochs):
    weighting = make(replicated)
    weighting.load_own_variables({})
    np.testing.assert_array_equal(
        run(weighting, epochs), run(make(replicated), epochs)
    )


def test_graph_and_eager_agree(replicated, epochs):
    eager, graph = make(replicated), make(replicated)
    step = tf.function(take_step)
    for epoch in epochs:
        for losses in epoch:
            expected = take_step(eager, losses)
            found = step(graph, tf.constant(losses))
            for a, b in zip(found, expected, strict=True):
                np.testing.assert_allclose(a, b, rtol=1e-5)
        eager.on_epoch_end(epoch.mean(axis=0))
        graph.on_epoch_end(epoch.mean(axis=0))


def test_two_replicas_weigh_as_one(replicated, epochs, two_replicas):
    one = make(replicated)
    with two_replicas.scope():
        two = make(replicated)

    @tf.function
    def step(losses):
        return two_replicas.run(take_step, args=(two, losses))

    for epoch in epochs:
        _, expected = take_step(one, epoch[0])
        _, found = step(tf.constant(epoch[0]))
        for replica in two_replicas.experimental_local_results(found):
            np.testing.assert_allclose(replica, expected, rtol=1e-5)
        one.on_epoch_end(epoch[0])
        two.on_epoch_end(epoch[0])


def test_xla_compiles_it(compiled, epochs):
    weighting = make(compiled)
    run(weighting, epochs[:3, :1])
    losses = tf.constant(epochs[3, 0])
    loss = tf.function(weighting.combine, jit_compile=True)(losses)
    # XLA draws other random numbers.
    if compiled != "rlw":
        np.testing.assert_allclose(loss, weighting.combine(losses), rtol=1e-5)
    assert np.isfinite(loss)


def test_one_task(name, epochs):
    weighting = make(name, tasks=("left",))
    results = run(weighting, epochs[..., :1])
    assert np.isfinite(results).all()
    assert (np.array(results)[:, 0] > 0).all()


def test_a_task_without_labels_gets_no_weight(name, epochs):
    weighting = make(name)
    # Each task is absent in turn.
    for epoch, absent in ((1, 0), (2, 1), (3, 2)):
        epochs[epoch, 1, absent] = 0.0
    results = np.array(run(weighting, epochs))
    assert np.isfinite(results).all()
    labelled = epochs.reshape(-1, len(TASKS)) > 0
    assert (results[:, :-1][~labelled] == 0).all()
    assert (results[:, :-1][labelled] > 0).all()


def test_the_state_of_an_unlabelled_task_does_not_change(name, epochs):
    weighting = make(name)
    before = {v.path: v.numpy().copy() for v in weighting.variables}
    epochs[..., 1] = 0.0
    results = np.array(run(weighting, epochs))
    assert np.isfinite(results).all()
    for variable in weighting.variables:
        if variable.shape == (len(TASKS),):
            assert variable.numpy()[1] == before[variable.path][1]


def test_a_late_task_is_weighted(name, epochs):
    weighting = make(name)
    epochs[:3, :, 1] = 0.0
    weights = np.array(run(weighting, epochs))[:, 1]
    assert (weights[:-2] == 0).all()
    assert (weights[-2:] > 0).all()


def test_a_batch_without_labels_changes_nothing(name, epochs):
    with_gap, without = make(name), make(name)
    run(with_gap, epochs)
    run(without, epochs)
    loss, weights = take_step(with_gap, np.zeros(len(TASKS), "float32"))
    assert float(loss) == 0
    assert not weights.numpy().any()
    # The step counts for random draws.
    without.count_step()
    np.testing.assert_array_equal(run(with_gap, epochs), run(without, epochs))


@pytest.mark.parametrize("steps", mostly_slow([1, 4], [1]))
def test_losses_of_any_size_stay_finite(name, steps, rng):
    weighting = make(name)
    exponents = rng.uniform(-10, 10, size=(8, steps, len(TASKS)))
    exponents[3], exponents[4] = -10, 10
    for epoch in (10.0**exponents).astype("float32"):
        for losses in epoch:
            with tf.GradientTape() as tape:
                losses = tf.constant(losses)
                tape.watch(losses)
                loss = weighting.combine(losses)
            own = [v.value for v in weighting.trainable_variables]
            for found in tape.gradient(loss, [losses, *own]):
                assert np.isfinite(found).all(), losses
            assert np.isfinite(loss), losses
            if weighting.needs_losses_after_step:
                weighting.after_step(losses * 10.0 ** rng.uniform(-5, 5))
            weighting.count_step()
        weighting.on_epoch_end(epoch.mean(axis=0))
    for variable in weighting.variables:
        assert np.isfinite(variable.numpy()).all(), variable.path


def test_variables_belong_only_to_the_weighting(name):
    weighting = make(name)
    variables = weighting.variables
    assert len({id(v) for v in variables}) == len(variables)
    store = {}
    weighting.save_own_variables(store)
    # Arguments are in the config and not in the state.
    arguments = weighting.adjustable_arguments()
    assert len(store) == len(variables) - len(arguments)
    weighting.reset_state()
    assert weighting.result() == {}
