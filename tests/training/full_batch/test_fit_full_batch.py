"""Full-batch training against closed forms and plain SciPy."""

import keras
import numpy as np
import pytest
import scipy.optimize
from factory_harness import mostly_slow
from full_batch_problems import (
    L2,
    METHODS,
    holed,
    joint_loss,
    least_squares,
    linear,
    parameters,
    regressions,
    small,
)

import mtl_keras
from mtl_keras import BinaryClassification, Regression, fit_full_batch


@pytest.mark.parametrize("method", mostly_slow(METHODS, ["L-BFGS-B"]))
@pytest.mark.parametrize("missing", mostly_slow([False, True], [True]))
def test_linear_model_comes_to_least_squares(method, missing, data):
    x, y = data
    y = holed(y) if missing else y
    model = linear()
    history = fit_full_batch(model, x, y, method, verbose=0)
    total = 0
    for task, weight in (("left", 1), ("right", 0.5)):
        best = least_squares(x, y[task])
        np.testing.assert_allclose(parameters(model, task), best, atol=5e-4)
        errors = np.column_stack([x, np.ones(30)]) @ best - y[task]
        total += weight * np.nanmean(errors**2)
    assert history.history["loss"][-1] == pytest.approx(total, rel=1e-5)


class Shared(keras.layers.Layer):
    """One slope for all tasks, which conflict over it."""

    def build(self, input_shape):
        self.slope = self.add_weight(
            shape=(1, 1), regularizer=keras.regularizers.L2(L2), name="slope"
        )

    def call(self, x):
        return x @ self.slope


def shared_slope(**options):
    """Returns two tasks whose outputs are one slope times the input."""
    inputs = keras.Input((1,))
    slope = Shared()(inputs)
    outputs = {
        name: keras.layers.Identity(name=name)(slope)
        for name in ("left", "right")
    }
    model = mtl_keras.MultiTaskModel(inputs, outputs, tasks=regressions())
    model.compile(**options)
    return model


@pytest.mark.parametrize("method", mostly_slow(METHODS, ["CG"]))
@pytest.mark.parametrize(
    "weighting, fixed",
    [
        pytest.param(None, (1, 1), marks=pytest.mark.slow),
        pytest.param("equal", (1, 1), marks=pytest.mark.slow),
        (
            mtl_keras.weighting.Importance({"left": 1, "right": 3}),
            (0.5, 1.5),
        ),
    ],
)
def test_weights_and_regularization_decide_conflicts(
    method, weighting, fixed, rng
):
    x = rng.normal(size=(20, 1)).astype("float32")
    y = {"left": 2 * x[:, 0], "right": -3 * x[:, 0]}
    y["right"][:8] = np.nan
    model = shared_slope(weighting=weighting, loss_weights={"right": 0.25})
    fit_full_batch(model, x, y, method, verbose=0)
    first = fixed[0] * np.mean(x**2)
    second = 0.25 * fixed[1] * np.mean(x[8:] ** 2)
    expected = (2 * first - 3 * second) / (first + second + L2)
    found = model.layers[1].slope.numpy()[0, 0]
    assert found == pytest.approx(expected, abs=1e-4)


@pytest.mark.parametrize("method", mostly_slow(METHODS, ["CG"]))
def test_iterations_are_those_of_scipy(method, data):
    """SciPy alone, on a joint loss that is written once more in numpy."""
    x, y = data
    model, y = linear(), holed(y)
    start = joint_loss(model, x, y).weights()
    names = [w.path.split("/")[0] for w in model.trainable_weights]
    design = np.column_stack([x, np.ones(30)]).astype("float64")

    def loss(vector):
        value, gradient = 0.0, np.zeros(8)
        for task, weight in (("left", 1), ("right", 0.5)):
            at = 4 * (names.index(task) // 2)
            keep = ~np.isnan(y[task])
            rows = design[keep]
            errors = rows @ vector[at : at + 4] - y[task][keep]
            value += weight * np.mean(errors**2)
            gradient[at : at + 4] = weight * 2 * errors @ rows / keep.sum()
        return value, gradient

    expected = []
    scipy.optimize.minimize(
        loss,
        start,
        jac=True,
        method=method,
        callback=lambda intermediate_result: expected.append(
            intermediate_result.fun
        ),
        options={"maxiter": 4},
    )
    history = fit_full_batch(model, x, y, method, iterations=4, verbose=0)
    np.testing.assert_allclose(history.history["loss"], expected, rtol=1e-4)
    assert history.message == "Reached iterations=4."
    assert not history.converged


@pytest.mark.slow
def test_weights_of_samples_and_classes(rng):
    x = rng.normal(size=(40, 2)).astype("float32")
    y = {"a": (x[:, 0] + rng.normal(size=40) > 0).astype("int32")}
    weights = np.where(np.arange(40) % 2, 3.0, 1.0)
    results = []
    for arguments in (
        {"sample_weight": weights, "class_weight": {"a": {1: 2.0}}},
        {"sample_weight": {"a": weights * np.where(y["a"], 2, 1)}},
    ):
        model = mtl_keras.build_mlp(
            (2,), [BinaryClassification("a")], hidden_units=()
        )
        history = fit_full_batch(model, x, y, verbose=0, **arguments)
        results.append([parameters(model, "a"), history.history["loss"][-1]])
    np.testing.assert_allclose(results[0][0], results[1][0], atol=1e-3)
    assert results[0][1] == pytest.approx(results[1][1], rel=1e-5)
    # Each weight counts as so many samples.
    copies = (weights * np.where(y["a"], 2, 1)).astype(int)
    model = mtl_keras.build_mlp(
        (2,), [BinaryClassification("a")], hidden_units=()
    )
    repeated = {"a": np.repeat(y["a"], copies)}
    fit_full_batch(model, np.repeat(x, copies, axis=0), repeated, verbose=0)
    np.testing.assert_allclose(parameters(model, "a"), results[0][0], atol=5e-3)


@pytest.mark.slow
def test_missing_labels_are_dropped_rows(data):
    x, y = data
    missing = holed(y)
    keep = ~np.isnan(missing["right"])
    one = mtl_keras.build_mlp((3,), [Regression("right")], hidden_units=())
    fit_full_batch(one, x[keep], {"right": y["right"][keep]}, verbose=0)
    both = linear()
    fit_full_batch(both, x, missing, verbose=0)
    np.testing.assert_allclose(
        parameters(both, "right"), parameters(one, "right"), atol=1e-3
    )


@pytest.mark.slow
def test_a_task_may_be_none(data):
    x, y = data
    model = linear()
    before = parameters(model, "right")
    none = {**y, "right": None}
    history = fit_full_batch(model, x, none, "CG", verbose=0)
    np.testing.assert_array_equal(parameters(model, "right"), before)
    best = least_squares(x, y["left"])
    np.testing.assert_allclose(parameters(model, "left"), best, atol=5e-4)
    assert history.history["right_loss"][-1] == 0


@pytest.mark.slow
def test_loss_never_rises_and_fit_goes_on_after(data, tmp_path):
    x, y = data
    model = small()
    before = [v.numpy().copy() for v in model.optimizer.variables]
    history = fit_full_batch(model, x, y, iterations=20, verbose=0)
    losses = history.history["loss"]
    assert np.all(np.diff(losses) <= 1e-6) and losses[-1] < losses[0]
    # The optimizer has not taken a step.
    assert model.optimizer.iterations.numpy() == 0
    after = [v.numpy().copy() for v in model.optimizer.variables][: len(before)]
    for value, expected in zip(after, before, strict=True):
        np.testing.assert_array_equal(value, expected)
    model.save(tmp_path / "model.keras")
    loaded = mtl_keras.load_model(tmp_path / "model.keras")
    found = loaded.evaluate(x, y, verbose=0, return_dict=True)["loss"]
    assert found == pytest.approx(losses[-1], rel=1e-5)
    model.fit(x, y, epochs=1, verbose=0)
    assert model.optimizer.iterations.numpy() == 1


@pytest.mark.slow
def test_same_start_same_weights(data):
    x, y = data
    results = []
    for _ in range(2):
        keras.utils.set_random_seed(3)
        model = small()
        fit_full_batch(model, x, y, iterations=10, verbose=0)
        results.append(np.concatenate([w.ravel() for w in model.get_weights()]))
    np.testing.assert_allclose(*results, atol=1e-4)


def test_starts_at_the_optimum(rng):
    x = rng.normal(size=(10, 3)).astype("float32")
    y = {"left": 0 * x[:, 0], "right": 0 * x[:, 0]}
    model = linear()
    model.set_weights([0 * w for w in model.get_weights()])
    history = fit_full_batch(model, x, y, verbose=0)
    assert history.history == {} and history.converged
    assert history.message.startswith("Converged: ")


@pytest.mark.slow
def test_frozen_layers_stay(data):
    x, y = data
    model = small()
    model.layers[1].trainable = False
    before = model.layers[1].get_weights()[0]
    model.compile()
    fit_full_batch(model, x, y, iterations=3, verbose=0)
    np.testing.assert_array_equal(model.layers[1].get_weights()[0], before)


@pytest.mark.slow
def test_normalization_that_is_frozen_passes(data):
    model = small(normalization="batch")
    model.get_layer("trunk_normalization_1").trainable = False
    model.compile()
    history = fit_full_batch(model, *data, iterations=3, verbose=0)
    assert len(history.epoch) == 3


@pytest.mark.slow
def test_runs_eagerly(data):
    x, y = data
    results = []
    for eager in (False, True):
        keras.utils.set_random_seed(1)
        model = linear()
        model.compile(run_eagerly=eager)
        history = fit_full_batch(model, x, y, iterations=3, verbose=0)
        results.append(history.history["loss"])
    np.testing.assert_allclose(*results, rtol=1e-5)
