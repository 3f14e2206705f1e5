"""A model that is used again trains as one that was just built."""

import keras
import keras_tuner
import numpy as np
import pytest
from factory_harness import mostly_slow
from tuning_problem import SMALL, build, samples

import mtl_keras
from mtl_keras import tuning

DATA = samples()


def run(hyper_model, values, seed=1, **fit):
    """Trains the model of a trial, as a search does."""
    keras.utils.set_random_seed(seed)
    built = hyper_model.build_trial(hyper_model.arguments(values))
    keras.utils.set_random_seed(seed)
    fit = {"epochs": 2, "batch_size": 16, "verbose": 0, **fit}
    history = built.fit(*DATA, **fit)
    hyper_model.give_back(built)
    return built, history.history


def hyper_models(space, factory=mtl_keras.build_mlp, **arguments):
    return [
        tuning.MultiTaskHyperModel(
            factory, space, merge=False, reuse=reuse, **arguments
        )
        for reuse in (True, False)
    ]


FACTORIES = {
    "plain": {},
    "dropout": {"dropout": 0.5},
    "batch statistics": {"normalization": "batch"},
    "momentum": {"optimizer": keras.optimizers.SGD(0.1, momentum=0.9)},
    "average of weights": {"optimizer": keras.optimizers.Adam(use_ema=True)},
    "method of losses": {"weighting": "uncertainty"},
    "method with a history": {"weighting": "dwa"},
    "random method": {"weighting": "rlw"},
    "method of gradients": {"weighting": "pcgrad"},
    "method of the jacobian": {"weighting": "db_mtl"},
}


@pytest.mark.parametrize(
    "name",
    mostly_slow(FACTORIES, ["batch statistics"]),
)
def test_a_reused_model_equals_a_fresh_one(name):
    more = FACTORIES[name]
    space = {
        **SMALL,
        "loss_weight": (0.1, 10.0),
        "learning_rate": (1e-3, 1e-1),
        **more,
    }
    reusing, fresh = hyper_models(space)
    fixed = {n: d.content for n, d in reusing.space.items() if n in SMALL}
    fixed |= more
    first = {"loss_weight/right": 0.2, "learning_rate": 0.003}
    second = {"loss_weight/right": 5.0, "learning_rate": 0.03}
    begun, _ = run(reusing, {**fixed, **first}, seed=5)
    again, found = run(reusing, {**fixed, **second})
    new, expected = run(fresh, {**fixed, **second})
    assert again is begun and new is not begun
    assert found == expected
    for variable, other in zip(again.weights, new.weights, strict=True):
        np.testing.assert_array_equal(variable, other)
    assert dict(again.loss_weights) == dict(new.loss_weights)


# An argument of each hook's methods, and values that make other trainings.
NUMBERS = {
    ("cagrad", "c"): (0.8, 0.0),
    ("db_mtl", "beta"): (0.9, 0.0),
    ("dwa", "temperature"): (2.0, 0.1),
    ("famo", "learning_rate"): (0.01, 0.5),
}


@pytest.mark.parametrize(
    "pair", mostly_slow(NUMBERS, [("dwa", "temperature")]), ids=".".join
)
def test_arguments_of_a_weighting_are_assigned(pair):
    method, argument = pair
    first, second = NUMBERS[pair]
    name = f"weighting/{argument}"
    space = {
        **SMALL,
        "optimizer": keras.optimizers.SGD(0.1),
        "weighting": method,
        name: [first, second],
    }
    reusing, fresh = hyper_models(space)
    fixed = {n: d.content for n, d in reusing.space.items() if n != name}
    # DWA weights nothing in the first two epochs.
    begun, other = run(reusing, {**fixed, name: first}, epochs=3)
    again, found = run(reusing, {**fixed, name: second}, epochs=3)
    new, expected = run(fresh, {**fixed, name: second}, epochs=3)
    assert again is begun and new is not begun
    assert getattr(again.weighting, argument) == second
    assert found == expected != other
    for variable, value in zip(again.weights, new.weights, strict=True):
        np.testing.assert_array_equal(variable, value)


def test_nothing_is_traced_for_a_reused_model():
    traced = []

    class Counted(keras.layers.Layer):
        def call(self, inputs):
            traced.append(1)
            return inputs

    space = {**SMALL, "preprocessing": Counted(), "loss_weight": (0.1, 10.0)}
    reusing, _ = hyper_models(space)
    fixed = {n: reusing.space[n].content for n in (*SMALL, "preprocessing")}
    counts = []
    for ratio in (0.5, 1.0, 2.0):
        run(reusing, {**fixed, "loss_weight/right": ratio})
        counts.append(len(traced))
    # A functional model is called symbolically once when it is built.
    assert counts[2] - counts[1] == counts[1] - counts[0] == 1


def test_another_architecture_is_another_model():
    reusing, _ = hyper_models({"trunk_width": [4, 8]}, build)
    first, _ = run(reusing, {"trunk_width": 4})
    second, _ = run(reusing, {"trunk_width": 8})
    third, _ = run(reusing, {"trunk_width": 4})
    assert first is third and first is not second


def test_rates_that_callbacks_changed_are_put_back():
    reusing, _ = hyper_models({"trunk_width": [4, 8]}, build)
    halve = keras.callbacks.LearningRateScheduler(lambda _, rate: rate / 2)
    run(reusing, {"trunk_width": 4}, callbacks=[halve])
    keras.utils.set_random_seed(0)
    model = reusing.build_trial(reusing.arguments({"trunk_width": 4}))
    assert float(model.optimizer.learning_rate) == pytest.approx(0.001)


def plain(trunk_width, loss_weights=None):
    """A model of Keras, whose loss weights are constants of the graph."""
    inputs = keras.Input((6,))
    x = keras.layers.Dense(trunk_width, activation="relu")(inputs)
    outputs = {
        name: keras.layers.Dense(3, activation="softmax", name=name)(x)
        for name in ("left", "right")
    }
    model = keras.Model(inputs, outputs)
    model.compile(
        "sgd",
        dict.fromkeys(outputs, "sparse_categorical_crossentropy"),
        loss_weights=loss_weights,
    )
    return model


def halved(loss_weights=None, learning_rate=0.1, width=4):
    """A factory that makes something else of what it gets."""
    optimizer = keras.optimizers.SGD(learning_rate / 2)
    weights = {k: v / 2 for k, v in (loss_weights or {}).items()}
    return build(width, weights, optimizer)


@pytest.mark.parametrize(
    ("factory", "fixed"),
    [
        pytest.param(plain, {"trunk_width": 4}, marks=pytest.mark.slow),
        (halved, {"width": 4}),
    ],
)
def test_factories_of_another_kind_are_right_too(factory, fixed):
    space = {**fixed, "loss_weight": (0.1, 10.0)}
    if factory is halved:
        space["learning_rate"] = (1e-3, 1e-1)
    reusing, fresh = hyper_models(space, factory)
    for ratio, rate in ((0.2, 0.01), (5.0, 0.1), (0.2, 0.01)):
        values = {**fixed, "loss_weight/right": ratio}
        if factory is halved:
            values["learning_rate"] = rate
        _, found = run(reusing, values)
        _, expected = run(fresh, values)
        assert found == expected


def test_models_are_kept_up_to_a_number():
    reusing, _ = hyper_models({"trunk_width": (2, 30, "linear")}, build)
    for width in range(2, 14):
        model = reusing.build_trial(reusing.arguments({"trunk_width": width}))
        reusing.give_back(model)
    assert len(reusing._models._kept) == reusing._models.capacity


TUNERS = {
    "random": (keras_tuner.RandomSearch, {"max_trials": 3}),
    "bayesian": (
        keras_tuner.BayesianOptimization,
        {"max_trials": 4, "num_initial_points": 2},
    ),
    "hyperband": (keras_tuner.Hyperband, {"max_epochs": 3}),
    "grid": (keras_tuner.GridSearch, {"max_trials": 3}),
}


@pytest.mark.filterwarnings("ignore::DeprecationWarning:keras_tuner.*")
@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
@pytest.mark.slow
@pytest.mark.parametrize("name", TUNERS)
def test_every_tuner_of_keras_tuner_takes_it(name, tmp_path):
    tuner_class, arguments = TUNERS[name]
    tuner = tuner_class(
        tuning.MultiTaskHyperModel(
            build,
            {"loss_weight": (0.1, 10.0), "batch_size": [16, 24]},
            merge=False,
        ),
        objective=keras_tuner.Objective("val_left_accuracy", "max"),
        directory=tmp_path,
        seed=1,
        **arguments,
    )
    tuner.search(*DATA, epochs=1, validation_data=DATA, verbose=0)
    trials = tuner.oracle.trials.values()
    assert {trial.status for trial in trials} == {"COMPLETED"}
    # Each is a model of its own, with the weights of its own trial.
    best = tuner.get_best_models(2)
    assert best[0] is not best[1]
    scores = [
        model.evaluate(*DATA, verbose=0, return_dict=True)["left_accuracy"]
        for model in best
    ]
    expected = [trial.score for trial in tuner.oracle.get_best_trials(2)]
    assert scores == pytest.approx(expected)
