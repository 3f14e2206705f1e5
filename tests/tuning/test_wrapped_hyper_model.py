"""Searching a `build(hp)` or HyperModel of KerasTuner."""

import keras
import keras_tuner
import numpy as np
import pytest
from tuning_problem import build_in_numpy, samples, search_small

from mtl_keras import tuning
from mtl_keras.tuning.dimensions import Choices, Fixed, Range
from mtl_keras.tuning.wrapped_hyper_model import (
    WrappedHyperModel,
    takes_hyperparameters,
)


def build(hp):
    """Returns the usual form in KerasTuner."""
    return build_in_numpy(
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
    return build_in_numpy(width if kind == "wide" else 2)


def build_layers(hp):
    """Declares a number of hyperparameters that another one sets."""
    layers = hp.Int("layers", 1, 3)
    units = [hp.Int(f"units_{at}", 2, 4) for at in range(layers)]
    return build_in_numpy(units[-1])


def build_late(hp):
    """Declares a hyperparameter within a range, without a scope."""
    width = hp.Int("width", 2, 4)
    if width == 3:
        hp.Float("late", 0.0, 1.0)
    return build_in_numpy(width)


def build_weights_by_kind(hp):
    """Varies loss weights only under a condition."""
    kind, weight = hp.Choice("kind", ["equal", "searched"]), 1.0
    with hp.conditional_scope("kind", ["searched"]):
        if kind == "searched":
            weight = hp.Float("weight", 0.1, 10.0, default=1.0)
    return build_in_numpy(2, {"right": weight})


def build_named_as_a_weighting(hp):
    """Uses names that have a meaning in the space of a factory."""
    hp.Choice("weighting", ["none", "some"])
    width = hp.Int("weighting/width", 2, 4)
    hp.Float("learning_rate", 0.1, 1.0)
    return build_in_numpy(width)


class Built(keras_tuner.HyperModel):
    """A hypermodel that inherits `fit`."""

    def build(self, hp):
        hp.Choice("size", [16, 24])
        return build_in_numpy(3)


def search(folder, factory, space=None, **arguments):
    arguments = {"name": "wrapped", **arguments}
    return search_small(folder, factory, space, **arguments)


@pytest.fixture
def one_model(monkeypatch):
    """Builds one model for all trials, to save time."""
    model = build_in_numpy()

    def with_weights(width=3, loss_weights=None):
        model.loss_weights.update({"left": 1.0, "right": 1.0})
        model.loss_weights.update(loss_weights or {})
        return model

    monkeypatch.setitem(globals(), "build_in_numpy", with_weights)


def test_a_build_function_is_distinguished_from_a_factory():
    def annotated(parameters: keras_tuner.HyperParameters):
        """Builds a model, annotated as in KerasTuner's documentation."""

    assert takes_hyperparameters(build)
    assert takes_hyperparameters(annotated)
    assert takes_hyperparameters(Built())
    assert takes_hyperparameters(lambda hp, scale=1.0: None)
    assert not takes_hyperparameters(build_in_numpy)
    assert not takes_hyperparameters(lambda width: None)
    assert not takes_hyperparameters(build, {"hp": [1, 2]})


def test_a_build_function_is_searched_like_a_factory(tmp_path):
    study = search(tmp_path, build, max_trials=2)
    assert [trial.status for trial in study.trials] == ["completed"] * 2
    assert set(study.best.values) == {"width", "right"}
    expected = search_small(
        tmp_path,
        build_in_numpy,
        {"width": [2, 3, 4], "loss_weight/right": (0.1, 10.0)},
        loss_weights="plain",
        max_trials=2,
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
    assert search(tmp_path, build, max_trials=2).trials == study.trials
    text = (study.folder / "study.toml").read_text()
    assert "Pass it to tuning.search" in text and "[data]" not in text


def test_all_conditions_are_explored(one_model):
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


def test_a_space_overrides_declared_names(one_model):
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


def test_hyperparameters_of_a_loop_are_found(tmp_path, one_model):
    model = WrappedHyperModel(build_layers)
    assert set(model.space) == {"layers", "units_0", "units_1", "units_2"}
    study = search(tmp_path, build_layers, max_trials=2)
    assert all(trial.completed for trial in study.trials)
    assert {trial.values["layers"] for trial in study.trials} != {1}


def test_late_declarations_are_refused(tmp_path, one_model):
    study = search(tmp_path, build_late, max_trials=None, tuner="grid")
    bad = {trial.values["width"]: trial.reason for trial in study.trials}
    assert "declares ['late'] only in some" in bad[3]
    assert bad[2] == bad[4] == ""


def test_the_total_loss_is_refused_where_loss_weights_vary(tmp_path, one_model):
    with pytest.raises(ValueError, match="the smallest weights would win"):
        search(tmp_path, build, objective="val_loss")
    with pytest.raises(ValueError, match="the smallest weights would win"):
        search(tmp_path, build_weights_by_kind, objective="loss")
    study = search(tmp_path, Built(), objective="loss", max_trials=1)
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
def test_only_compiled_models_are_accepted(tmp_path, factory, message):
    with pytest.raises(TypeError, match=message):
        search(tmp_path, factory)


def test_a_class_is_not_an_instance(tmp_path):
    with pytest.raises(
        TypeError, match=r"expected an instance of it, Built\(\)"
    ):
        search(tmp_path, Built)


def test_nothing_declared_is_nothing_to_search(tmp_path):
    with pytest.raises(ValueError, match="declares no hyperparameters"):
        search(tmp_path, lambda hp: build_in_numpy())
    with pytest.raises(ValueError, match="call its argument hp"):
        search(tmp_path, lambda width: build_in_numpy(width))


def test_names_mean_nothing_beyond_their_values(tmp_path, one_model):
    study = search(tmp_path, build_named_as_a_weighting, max_trials=2)
    for trial in study.trials:
        assert trial.completed, trial.reason
        assert trial.values.keys() == {
            "weighting",
            "weighting/width",
            "learning_rate",
        }


def test_a_multi_task_hyper_model_brings_its_space(tmp_path):
    model = tuning.MultiTaskHyperModel(
        build_in_numpy, {"width": [2, 3]}, merge=False
    )
    study = search(tmp_path, model, max_trials=None, tuner="grid")
    assert [trial.values["width"] for trial in study.trials] == [2, 3]
    with pytest.raises(ValueError, match="already has a space"):
        search(tmp_path, model, {"width": [2]}, name="two spaces")
    fixed = tuning.MultiTaskHyperModel(
        build_in_numpy, {"width": [2, 3]}, merge=False, tunable=False
    )
    with pytest.raises(ValueError, match="tunable=False"):
        search(tmp_path, fixed, name="fixed")


@pytest.mark.slow
def test_workers_train_a_build_function(tmp_path):
    one = search(tmp_path, build, name="one")
    two = search(tmp_path, build, name="two", workers=2)
    for found, expected in zip(two.trials, one.trials, strict=True):
        assert found.metrics == pytest.approx(expected.metrics, rel=1e-5)
