"""A search over `build(hp)`, a HyperModel and what they declare."""

import keras
import keras_tuner
import numpy as np
import pytest
from tuning_problem import build_eager, samples, search_small

from mtl_keras import tuning
from mtl_keras.tuning.dimensions import Choices, Fixed, Range
from mtl_keras.tuning.wrapped_hyper_model import (
    WrappedHyperModel,
    takes_hyperparameters,
)


def build(hp):
    """KerasTuner's usual form."""
    return build_eager(
        hp.Choice("width", [2, 3, 4]),
        {"left": 1.0, "right": hp.Float("right", 0.1, 10.0, sampling="log")},
    )


def build_by_kind(hp):
    """Declares some hyperparameters only under a condition."""
    kind = hp.Choice("kind", ["narrow", "wide"])
    with hp.conditional_scope("kind", ["wide"]):
        if kind == "wide":
            width = hp.Int("width", 4, 6, default=5)
            with hp.conditional_scope("width", [6]):
                if width == 6:
                    hp.Boolean("flag")
    return build_eager(width if kind == "wide" else 2)


def build_layers(hp):
    """Declares as many hyperparameters as another one says."""
    layers = hp.Int("layers", 1, 3)
    units = [hp.Int(f"units_{at}", 2, 4) for at in range(layers)]
    return build_eager(units[-1])


def build_late(hp):
    """Declares a hyperparameter inside of a range that no scope announces."""
    width = hp.Int("width", 2, 4)
    if width == 3:
        hp.Float("late", 0.0, 1.0)
    return build_eager(width)


def build_weights_by_kind(hp):
    """Varies loss weights only under a condition."""
    kind, weight = hp.Choice("kind", ["equal", "searched"]), 1.0
    with hp.conditional_scope("kind", ["searched"]):
        if kind == "searched":
            weight = hp.Float("weight", 0.1, 10.0, default=1.0)
    return build_eager(2, {"right": weight})


def build_named_as_a_weighting(hp):
    """Uses the names that mean something in the space of a factory."""
    hp.Choice("weighting", ["none", "some"])
    width = hp.Int("weighting/width", 2, 4)
    hp.Float("learning_rate", 0.1, 1.0)
    return build_eager(width)


class Sized(keras_tuner.HyperModel):
    """A hypermodel that trains in its own way."""

    def build(self, hp):
        hp.Choice("size", [16, 24])
        return build_eager(3)

    def fit(self, hp, model, *args, **kwargs):
        kwargs["batch_size"] = hp.get("size")
        history = model.fit(*args, **kwargs)
        model.steps = int(
            keras.ops.convert_to_numpy(model.optimizer.iterations)
        )
        return history


class DeclaresInFit(Sized):
    """Declares in `fit`, as KerasTuner's guide does."""

    def fit(self, hp, model, *args, **kwargs):
        return model.fit(
            *args, batch_size=hp.Choice("batch_size", [16, 24]), **kwargs
        )


class Returns(Sized):
    """Returns its own result, and leaves the callbacks out."""

    def __init__(self, result):
        super().__init__()
        self.result = result

    def fit(self, hp, model, *args, callbacks, **kwargs):
        model.fit(*args, **kwargs)
        return self.result


def search(folder, factory, space=None, **arguments):
    train, validation = samples(), samples(seed=1)
    arguments = {
        "objective": "left_accuracy",
        "tuner": "random",
        "max_trials": 3,
        "epochs": 1,
        "batch_size": 48,
        "directory": folder,
        "name": "wrapped",
        "verbose": 0,
        **arguments,
    }
    return tuning.search(factory, space, train, validation, **arguments)


def test_a_build_function_is_told_from_a_factory():
    def annotated(parameters: keras_tuner.HyperParameters):
        """As KerasTuner's own documentation writes it, annotated."""

    assert takes_hyperparameters(build)
    assert takes_hyperparameters(annotated)
    assert takes_hyperparameters(Sized())
    assert takes_hyperparameters(lambda hp, scale=1.0: None)
    assert not takes_hyperparameters(build_eager)
    assert not takes_hyperparameters(lambda width: None)
    assert not takes_hyperparameters(build, {"hp": [1, 2]})


def test_a_build_function_is_searched_like_a_factory(tmp_path):
    study = search(tmp_path, build)
    assert [trial.status for trial in study.trials] == ["completed"] * 3
    assert set(study.best.values) == {"width", "right"}
    expected = search_small(
        tmp_path,
        build_eager,
        {"width": [2, 3, 4], "loss_weight/right": (0.1, 10.0)},
        loss_weights="plain",
    )
    for found, other in zip(study.trials, expected.trials, strict=True):
        assert list(found.values.values()) == list(other.values.values())
        assert found.metrics == pytest.approx(other.metrics)
    model = study.best_model()
    logs = model.evaluate(*samples(seed=1), verbose=0, return_dict=True)
    assert logs["left_accuracy"] == pytest.approx(
        study.best.objectives["left_accuracy"]
    )
    # The same call goes on, and has nothing left to do.
    assert search(tmp_path, build).trials == study.trials
    text = (study.folder / "study.toml").read_text()
    assert "pass it to tuning.search" in text and "[data]" not in text


def test_all_conditions_are_explored():
    model = WrappedHyperModel(build_by_kind)
    assert dict(model.space) == {
        "kind": Choices("kind", ("narrow", "wide")),
        "width": Range("width", 4, 6, "linear", (("kind", ("wide",)),)),
        "flag": Choices(
            "flag", (False, True), (("kind", ("wide",)), ("width", (6,)))
        ),
    }
    assert model.default_arguments.graph == {"kind": "narrow"}


@pytest.mark.slow
def test_conditions_hold_in_every_trial(tmp_path):
    study = search(tmp_path, build_by_kind, max_trials=6, tuner="bayesian")
    kinds = set()
    for trial in study.trials:
        kind, width = trial.values["kind"], trial.values.get("width")
        kinds.add(kind)
        assert (width is None) == (kind == "narrow")
        assert ("flag" in trial.values) == (width == 6)
    assert kinds == {"narrow", "wide"}
    assert study.importance()["left_accuracy"].shares.keys() == {
        "kind",
        "width",
        "flag",
    }


def test_a_space_replaces_what_it_names(tmp_path):
    model = WrappedHyperModel(build, {"width": 4, "right": (1.0, 2.0)})
    assert model.space["width"] == Fixed("width", 4)
    assert model.default_arguments.graph == {"width": 4, "right": 1.0}
    hp = keras_tuner.HyperParameters()
    hp.Int("width", 5, 6)
    model = WrappedHyperModel(build, hp)
    assert model.space["width"] == Range("width", 5, 6, "linear")
    model = WrappedHyperModel(build_by_kind, {"kind": "wide", "width": [4, 5]})
    assert dict(model.space) == {
        "kind": Fixed("kind", "wide"),
        "width": Choices("width", (4, 5)),
        "flag": Choices("flag", (False, True), (("width", (6,)),)),
    }
    model = WrappedHyperModel(build_by_kind, {"kind": ["narrow"]})
    assert dict(model.space) == {"kind": Fixed("kind", "narrow")}
    model = WrappedHyperModel(build_by_kind, {"width": [4, 6]})
    assert model.space["width"].conditions == (("kind", ("wide",)),)
    with pytest.raises(ValueError, match="Did you mean 'width'"):
        WrappedHyperModel(build, {"widht": 4})
    with pytest.raises(TypeError, match="expected a dict"):
        WrappedHyperModel(build, [4])


@pytest.mark.slow
def test_the_fit_of_a_hypermodel_is_called(tmp_path):
    study = search(tmp_path, Sized(), max_trials=None, tuner="grid")
    assert {trial.values["size"] for trial in study.trials} == {16, 24}
    assert all(trial.completed for trial in study.trials)
    # Another batch size, other steps: the scores differ.
    losses = [trial.metrics["left_loss"] for trial in study.trials]
    assert losses[0] != losses[1]


def test_hyperparameters_of_a_fit_are_found(tmp_path):
    study = search(
        tmp_path,
        DeclaresInFit(),
        max_trials=None,
        tuner="grid",
        batch_size=32,
    )
    assert {t.values["batch_size"] for t in study.trials} == {16, 24}
    assert all(trial.completed for trial in study.trials), study.trials


@pytest.mark.parametrize("result", [0.25, {"val_left_accuracy": 0.25}])
def test_the_result_of_a_fit_counts(tmp_path, result):
    study = search(tmp_path, Returns(result), max_trials=1)
    assert study.best.objectives == {"left_accuracy": 0.25}


@pytest.mark.parametrize(
    ("result", "message"),
    [
        (None, "passes its callbacks on to model.fit"),
        ([0.25, 0.5], "expected a History, a number or a dict"),
        ({"val_right_accuracy": 0.25}, "left_accuracy"),
    ],
)
def test_wrong_results_of_a_fit_name_the_way_out(tmp_path, result, message):
    with pytest.raises(tuning.AllTrialsFailedError, match=message):
        search(tmp_path, Returns(result), max_trials=1)


def test_one_number_is_not_enough_for_two_objectives(tmp_path):
    with pytest.raises(tuning.AllTrialsFailedError, match="Return a dict"):
        search(
            tmp_path,
            Returns(0.25),
            max_trials=1,
            objective=["left_accuracy", "right_accuracy"],
        )


def test_hyperparameters_of_a_loop_are_found(tmp_path):
    model = WrappedHyperModel(build_layers)
    assert set(model.space) == {"layers", "units_0", "units_1", "units_2"}
    study = search(tmp_path, build_layers, max_trials=2)
    assert all(trial.completed for trial in study.trials)
    assert {trial.values["layers"] for trial in study.trials} != {1}


def test_what_is_declared_too_late_is_refused(tmp_path):
    study = search(tmp_path, build_late, max_trials=None, tuner="grid")
    bad = {trial.values["width"]: trial.reason for trial in study.trials}
    assert "declares ['late'] in some trials only" in bad[3]
    assert bad[2] == bad[4] == ""


def test_the_total_loss_is_refused_where_loss_weights_vary(tmp_path):
    with pytest.raises(ValueError, match="the lightest weights would win"):
        search(tmp_path, build, objective="val_loss")
    with pytest.raises(ValueError, match="the lightest weights would win"):
        search(tmp_path, build_weights_by_kind, objective="loss")
    study = search(tmp_path, Sized(), objective="loss", max_trials=1)
    assert study.best.completed


@pytest.mark.slow
def test_gains_are_relative_to_the_declared_defaults(tmp_path):
    study = search(tmp_path, build, objective="delta_m", max_trials=1)
    assert set(study.references) == {"left", "right"}
    assert np.isfinite(study.best.objectives["delta_m"])


@pytest.mark.parametrize(
    ("factory", "message"),
    [
        (lambda hp: None, "returned None of type NoneType"),
        (lambda hp: keras.Sequential([keras.Input((2,))]), "without compiling"),
    ],
)
def test_what_is_no_compiled_model_is_refused(tmp_path, factory, message):
    with pytest.raises(TypeError, match=message):
        search(tmp_path, factory)


def test_a_class_is_not_an_instance(tmp_path):
    with pytest.raises(
        TypeError, match=r"expected an instance of it, Sized\(\)"
    ):
        search(tmp_path, Sized)


def test_nothing_declared_is_nothing_to_search(tmp_path):
    with pytest.raises(ValueError, match="declares no hyperparameters"):
        search(tmp_path, lambda hp: build_eager())
    with pytest.raises(ValueError, match="call its argument hp"):
        search(tmp_path, lambda width: build_eager(width))


def test_names_mean_nothing_beyond_their_values(tmp_path):
    study = search(tmp_path, build_named_as_a_weighting)
    for trial in study.trials:
        assert trial.completed, trial.reason
        assert trial.values.keys() == {
            "weighting",
            "weighting/width",
            "learning_rate",
        }


def test_a_multi_task_hyper_model_brings_its_space(tmp_path):
    model = tuning.MultiTaskHyperModel(
        build_eager, {"width": [2, 3]}, merge=False
    )
    study = search(tmp_path, model, max_trials=None, tuner="grid")
    assert [trial.values["width"] for trial in study.trials] == [2, 3]
    with pytest.raises(ValueError, match="another one is given"):
        search(tmp_path, model, {"width": [2]}, name="two spaces")
    fixed = tuning.MultiTaskHyperModel(
        build_eager, {"width": [2, 3]}, merge=False, tunable=False
    )
    with pytest.raises(ValueError, match="tunable=False"):
        search(tmp_path, fixed, name="fixed")


@pytest.mark.slow
def test_workers_train_a_build_function(tmp_path):
    one = search(tmp_path, build, name="one")
    two = search(tmp_path, build, name="two", workers=2)
    for found, expected in zip(two.trials, one.trials, strict=True):
        assert found.metrics == pytest.approx(expected.metrics, rel=1e-5)
