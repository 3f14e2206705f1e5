"""A reused model trains like a new one."""

import keras
import keras_tuner
import numpy as np
import pytest
from tuning_problem import SMALL, build, build_in_numpy, samples

import mtl_keras
from mtl_keras import tuning

DATA = samples()


def run(hyper_model, values, seed=1, eagerly=False, **fit):
    """Trains the model of a trial as a search does."""
    keras.utils.set_random_seed(seed)
    built = hyper_model.build_trial(hyper_model.arguments(values))
    if eagerly:
        built.run_eagerly = True
    keras.utils.set_random_seed(seed)
    fit = {"epochs": 2, "batch_size": 16, "verbose": 0, **fit}
    history = built.fit(*DATA, **fit)
    hyper_model.release(built)
    return built, history.history


def hyper_models(space, factory=mtl_keras.build_mlp, **arguments):
    return [
        tuning.MultiTaskHyperModel(
            factory, space, merge=False, reuse=reuse, **arguments
        )
        for reuse in (True, False)
    ]


class Counted(keras.layers.Layer):
    """Counts its calls and traces."""

    calls = 0

    def call(self, inputs):
        Counted.calls += 1
        return inputs


TEMPERATURE = "weighting/temperature"
FACTORIES = {
    "plain": {},
    "dropout": {"dropout": 0.5},
    "batch statistics": {"normalization": "batch"},
    "all of these": {
        "dropout": 0.5,
        "normalization": "batch",
        "optimizer": keras.optimizers.SGD(0.1, momentum=0.9),
        "preprocessing": Counted(),
        "weighting": "dwa",
        TEMPERATURE: [2.0, 0.1],
    },
    "momentum": {"optimizer": keras.optimizers.SGD(0.1, momentum=0.9)},
    "average of weights": {"optimizer": keras.optimizers.Adam(use_ema=True)},
    "method of losses": {"weighting": "uncertainty"},
    "method with a history": {"weighting": "dwa"},
    "random method": {"weighting": "rlw"},
    "method of gradients": {"weighting": "pcgrad"},
    "method of the jacobian": {"weighting": "db_mtl"},
}


def assert_same(trained, expected, *, exact):
    """Compares the weights and histories of two trainings."""
    tolerance = {"rtol": 0} if exact else {"rtol": 1e-4, "atol": 1e-6}
    (model, history), (other, of_other) = trained, expected
    assert history.keys() == of_other.keys()
    for name, values in of_other.items():
        np.testing.assert_allclose(history[name], values, **tolerance)
    for variable, value in zip(model.weights, other.weights, strict=True):
        np.testing.assert_allclose(variable, value, **tolerance)


# A second trace takes longer than a few steps without a graph.
@pytest.mark.parametrize(
    ("name", "eagerly"),
    [
        ("all of these", True),
        *(
            pytest.param(name, False, marks=pytest.mark.slow)
            for name in FACTORIES
        ),
    ],
)
def test_a_reused_model_equals_a_fresh_one(name, eagerly):
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
    if TEMPERATURE in more:
        first[TEMPERATURE], second[TEMPERATURE] = more[TEMPERATURE]
    # DWA weights nothing in the first two epochs.
    fit = {"epochs": 3, "batch_size": 48} if eagerly else {}
    begun, _ = run(reusing, {**fixed, **first}, seed=5, **fit)
    before = Counted.calls
    again, found = run(reusing, {**fixed, **second}, **fit)
    # Nothing was traced: a new network is called once when it is built.
    assert Counted.calls - before == ("preprocessing" in more)
    new, expected = run(fresh, {**fixed, **second}, eagerly=eagerly, **fit)
    assert again is begun and new is not begun
    assert_same((again, found), (new, expected), exact=not eagerly)
    assert dict(again.loss_weights) == dict(new.loss_weights)


# An argument of each hook's methods, and values that make other trainings.
NUMBERS = {
    ("cagrad", "c"): (0.8, 0.0),
    ("db_mtl", "beta"): (0.9, 0.0),
    ("dwa", "temperature"): (2.0, 0.1),
    ("famo", "learning_rate"): (0.01, 0.5),
}


@pytest.mark.slow
@pytest.mark.parametrize("pair", NUMBERS, ids=".".join)
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
    assert found != other
    assert_same((again, found), (new, expected), exact=True)


@pytest.mark.slow
def test_nothing_is_traced_for_a_reused_model():
    given = {**SMALL, "preprocessing": Counted()}
    reusing, _ = hyper_models({**given, "loss_weight": (0.1, 10.0)})
    fixed = {name: reusing.space[name].content for name in given}
    counts = []
    for ratio in (0.5, 1.0, 2.0):
        run(reusing, {**fixed, "loss_weight/right": ratio})
        counts.append(Counted.calls)
    # A functional model is called symbolically once when it is built.
    assert counts[2] - counts[1] == counts[1] - counts[0] == 1


def test_another_architecture_is_another_model():
    reusing, _ = hyper_models({"width": [4, 8]}, build_in_numpy)
    first, second, third = (
        run(reusing, {"width": width}, validation_data=DATA)[0]
        for width in (4, 8, 4)
    )
    assert first is third and first is not second


@pytest.mark.parametrize(
    "optimizer", ["sgd", {"class_name": "sgd", "config": {"momentum": 0.9}}]
)
def test_an_optimizer_by_its_name_is_the_same_in_each_trial(optimizer):
    reusing, _ = hyper_models({"width": [4, 8]}, build_in_numpy)
    values = {"width": 4, "optimizer": optimizer, "learning_rate": 0.1}
    models = []
    for _ in range(2):
        models.append(reusing.build_trial(reusing.arguments(values)))
        reusing.release(models[-1])
    assert models[0] is models[1]


def test_rates_that_callbacks_changed_are_put_back():
    reusing, _ = hyper_models({"width": [4, 8]}, build_in_numpy)
    halve = keras.callbacks.LearningRateScheduler(lambda _, rate: rate / 2)
    more = {"callbacks": [halve], "validation_data": DATA}
    trained, _ = run(reusing, {"width": 4}, **more)
    assert float(trained.optimizer.learning_rate) == pytest.approx(0.0025)
    keras.utils.set_random_seed(0)
    model = reusing.build_trial(reusing.arguments({"width": 4}))
    assert model is trained
    assert float(model.optimizer.learning_rate) == pytest.approx(0.01)


def plain(trunk_width, loss_weights=None):
    """Builds a Keras model, whose loss weights are constants of the graph."""
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
    """Returns a factory that changes the values that it gets."""
    optimizer = keras.optimizers.SGD(learning_rate / 2)
    weights = {k: v / 2 for k, v in (loss_weights or {}).items()}
    return build_in_numpy(width, weights, optimizer)


@pytest.mark.parametrize(
    ("factory", "fixed"),
    [
        pytest.param(plain, {"trunk_width": 4}, marks=pytest.mark.slow),
        pytest.param(halved, {"width": 4}, marks=pytest.mark.slow),
    ],
)
def test_other_factories_give_the_same_results(factory, fixed):
    space = {**fixed, "loss_weight": (0.1, 10.0)}
    if factory is halved:
        space["learning_rate"] = (1e-3, 1e-1)
    reusing, fresh = hyper_models(space, factory)
    for ratio, rate in ((0.2, 0.01), (5.0, 0.1), (0.2, 0.01)):
        values = {**fixed, "loss_weight/right": ratio}
        if factory is halved:
            values["learning_rate"] = rate
        _, found = run(reusing, values, validation_data=DATA)
        _, expected = run(fresh, values, validation_data=DATA)
        assert found == expected


def test_models_are_kept_up_to_a_number():
    reusing, _ = hyper_models({"trunk_width": (2, 30, "linear")}, build)
    capacity = reusing._models.capacity = 2
    for width in range(2, 5):
        model = reusing.build_trial(reusing.arguments({"trunk_width": width}))
        reusing.release(model)
    assert len(reusing._models._cached) == capacity


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
