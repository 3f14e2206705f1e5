"""Steps with a loss or a gradient that is NaN or infinite."""

import keras
import numpy as np
import pytest
from factory_harness import mostly_slow
from keras import ops

import mtl_keras
from mtl_keras import weighting as weightings
from mtl_keras.tasks import Regression
from mtl_keras.training import NonFiniteGradientError, NonFiniteLossError

METHODS = {
    name: {"class_name": name, "config": {}} for name in weightings.names()
}
METHODS["importance"]["config"] = {"importances": {"good": 1.0, "bad": 3.0}}
WAYS = ("parameters", "features")
OPTIONS = {"batch_size": 4, "shuffle": False, "verbose": 0}


@keras.saving.register_keras_serializable("tests")
def steep(y_true, y_pred):
    """Computes a finite loss whose gradient is NaN at a target of 0."""
    squares = ops.square(y_pred - 1) + ops.sqrt(ops.square(y_pred * y_true))
    return ops.mean(squares, axis=-1)


def build(method, *, seed=1, optimizer=None, **options):
    """Returns two tasks on a shared layer; the second one's loss is steep."""
    keras.utils.set_random_seed(seed)
    tasks = [Regression("good"), Regression("bad", loss=steep, metrics=())]
    model = mtl_keras.build_mlp((3,), tasks, hidden_units=(4,))
    optimizer = optimizer or keras.optimizers.Adam(0.01)
    model.compile(optimizer, weighting=method, **options)
    return model


def data(rng, *, broken=(), infinite=()):
    """Returns three batches of four; some break the second task."""
    x = rng.normal(size=(12, 3)).astype("float32")
    y = {
        "good": rng.normal(size=(12, 1)).astype("float32"),
        "bad": rng.uniform(1, 2, size=(12, 1)).astype("float32"),
    }
    for batch in broken:
        y["bad"][4 * batch + 1] = 0
    for batch in infinite:
        y["bad"][4 * batch + 1] = 3e38
    return x, y


def without(batch, x, y):
    """Returns the data without one of its batches."""
    keep = np.arange(12) // 4 != batch
    return x[keep], {task: targets[keep] for task, targets in y.items()}


def state(model):
    """Returns all that a step reads or writes."""
    variables = [*model.weights, *model.optimizer.variables]
    if model.weighting is not None:
        variables += model.weighting.variables
    return [variable.numpy() for variable in variables]


def assert_same(first, second):
    for one, other in zip(first, second, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-6, atol=1e-7)


@pytest.mark.parametrize("name", mostly_slow(METHODS, ["famo"]))
def test_a_skipped_step_leaves_no_trace(name, rng):
    x, y = data(rng, broken=[1])
    given = {**OPTIONS}
    if name == "auto_lambda":  # one batch that stays the same
        held_out = {task: targets[:4] for task, targets in y.items()}
        given["held_out_data"] = (x[:4], held_out)
    options = {"non_finite": "skip", "run_eagerly": True}
    model, expected = build(METHODS[name], **options), build(METHODS[name])
    expected.run_eagerly = True
    with pytest.warns(UserWarning, match=r"1 steps were skipped.*(bad|sum)"):
        history = model.fit(x, y, **given).history
    kept = expected.fit(*without(1, x, y), **given).history
    assert_same(state(model), state(expected))
    for key, values in kept.items():
        np.testing.assert_allclose(history[key], values, rtol=1e-5)
    assert model.skipped_steps.steps == 1


@pytest.mark.parametrize("gradients", mostly_slow(WAYS, ["parameters"]))
@pytest.mark.parametrize("steps_per_execution", mostly_slow([1, 3], [3]))
def test_skipping_in_the_graph(gradients, steps_per_execution, rng):
    x, y = data(rng, broken=[0])
    model = build(
        "pcgrad",
        gradients=gradients,
        non_finite="skip",
        steps_per_execution=steps_per_execution,
    )
    expected = build("pcgrad", gradients=gradients)
    with pytest.warns(UserWarning, match=r"gradient of task 'bad' \(1\)"):
        model.fit(x, y, **OPTIONS)
    expected.fit(*without(0, x, y), **OPTIONS)
    assert_same(state(model), state(expected))
    assert model.skipped_steps.gradients == {"bad": 1}
    assert model.skipped_steps.losses == {}


@pytest.mark.parametrize("gradients", mostly_slow(WAYS, ()))
def test_stopping_keeps_the_weights_before_the_step(gradients, rng):
    x, y = data(rng, broken=[2])
    options = {"gradients": gradients, "run_eagerly": True}
    model, expected = (build("gradvac", **options) for _ in range(2))
    with pytest.raises(NonFiniteGradientError, match=r"at step 3.*'bad' \(1\)"):
        model.fit(x, y, **OPTIONS)
    expected.fit(*without(2, x, y), **OPTIONS)
    assert_same(state(model), state(expected))


@pytest.mark.slow
def test_methods_of_losses_name_the_sum(rng):
    model = build("uncertainty")
    with pytest.raises(NonFiniteGradientError, match="sum of the gradients"):
        model.fit(*data(rng, broken=[1]), **OPTIONS)


@pytest.mark.parametrize(
    ("method", "eager"),
    [
        (None, True),
        pytest.param("mgda", True, marks=pytest.mark.slow),
        pytest.param(None, False, marks=pytest.mark.slow),
        pytest.param("uncertainty", False, marks=pytest.mark.slow),
        pytest.param("mgda", False, marks=pytest.mark.slow),
    ],
)
def test_a_loss_that_is_not_finite(method, eager, rng):
    x, y = data(rng, infinite=[1])
    options = {"run_eagerly": eager}
    model = build(method, non_finite="skip", **options)
    expected = build(method, non_finite="skip", **options)
    with pytest.warns(UserWarning, match=r"loss of task 'bad' \(1\)"):
        history = model.fit(x, y, **OPTIONS).history
    expected.fit(*without(1, x, y), **OPTIONS)
    assert_same(state(model), state(expected))
    assert all(np.isfinite(values).all() for values in history.values())
    with pytest.raises(NonFiniteLossError, match="'bad'"):
        build(method, **options).fit(x, y, **OPTIONS)


@pytest.mark.slow
def test_one_batch_at_a_time(rng):
    x, y = data(rng, broken=[0])
    batch = x[:4], {task: targets[:4] for task, targets in y.items()}
    model = build("mgda")
    model.build_optimizer()
    before = state(model)
    with pytest.raises(NonFiniteGradientError, match="'bad'"):
        model.train_on_batch(*batch)
    assert_same(state(model), before)


@pytest.mark.parametrize(
    "method", mostly_slow(["gradvac", "db_mtl", "famo"], ())
)
def test_loss_scaling_lowers_its_scale_and_goes_on(method, rng):
    optimizer = keras.optimizers.LossScaleOptimizer(
        keras.optimizers.SGD(0.01), initial_scale=16.0
    )
    x, y = data(rng, broken=[1])
    model, expected = build(method, optimizer=optimizer), build(method)
    expected.compile(keras.optimizers.SGD(0.01), weighting=method)
    model.fit(x, y, **OPTIONS)
    expected.fit(*without(1, x, y), **OPTIONS)
    assert float(model.optimizer.dynamic_scale) == 8.0
    for one, other in zip(model.weights, expected.weights, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-5, atol=1e-6)
    assert_same(
        [v.numpy() for v in model.weighting.variables],
        [v.numpy() for v in expected.weighting.variables],
    )


@pytest.mark.slow
@pytest.mark.parametrize("gradients", WAYS)
def test_two_replicas_skip_together(gradients, rng, two_replicas):
    x, y = data(rng, broken=[1])
    with two_replicas.scope():
        model = build("gradvac", gradients=gradients, non_finite="skip")
    expected = build("gradvac", gradients=gradients)
    model.set_weights(expected.get_weights())
    with pytest.warns(UserWarning, match="'bad'"):
        model.fit(x, y, **OPTIONS)
    expected.fit(*without(1, x, y), **OPTIONS)
    for one, other in zip(state(model), state(expected), strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-4, atol=1e-5)


def test_the_choice_is_kept_and_checked():
    model = build("pcgrad", non_finite="skip")
    again = build("pcgrad")
    again.compile_from_config(model.get_compile_config())
    assert again.non_finite == "skip"
    with pytest.raises(ValueError, match="non_finite='ignore'"):
        build("pcgrad", non_finite="ignore")
