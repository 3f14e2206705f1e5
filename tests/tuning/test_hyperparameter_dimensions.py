"""Converting KerasTuner's hyperparameters to dimensions."""

import keras_tuner
import pytest
from tuning_problem import build, search_small

from mtl_keras import tuning
from mtl_keras.tuning.dimensions import Choices, Fixed, Range
from mtl_keras.tuning.hyperparameter_dimensions import read_hyperparameters


def declared(method, *arguments, **more):
    hp = keras_tuner.HyperParameters()
    getattr(hp, method)("x", *arguments, **more)
    return hp


@pytest.mark.parametrize(
    ("hp", "expected"),
    [
        (declared("Int", 2, 9), Range("x", 2, 9, "linear")),
        (declared("Int", 2, 9, sampling="log"), Range("x", 2, 9, "log")),
        (declared("Int", 2, 9, step=3), Choices("x", (2, 5, 8))),
        (
            declared("Int", 4, 64, step=4, sampling="log"),
            Choices("x", (4, 16, 64)),
        ),
        (declared("Float", 0.0, 1.0), Range("x", 0.0, 1.0, "linear")),
        (
            declared("Float", 0.0, 0.5, step=0.25),
            Choices("x", (0.0, 0.25, 0.5)),
        ),
        (
            declared("Float", 1.0, 4.0, step=2, sampling="reverse_log"),
            Choices("x", (1.0, 3.0, 4.0)),
        ),
        (declared("Int", 3, 3), Fixed("x", 3)),
        (declared("Choice", ["a", "b"]), Choices("x", ("a", "b"))),
        (declared("Choice", [7]), Fixed("x", 7)),
        (declared("Boolean"), Choices("x", (False, True))),
        (declared("Fixed", 1.5), Fixed("x", 1.5)),
    ],
)
def test_each_kind_is_read(hp, expected):
    assert read_hyperparameters(hp) == {"x": expected}


def test_every_step_of_keras_tuner_is_a_choice():
    for sampling in ("linear", "log", "reverse_log"):
        hp = declared("Float", 0.1, 25.6, step=2.0, sampling=sampling)
        (own,) = hp.space
        values = read_hyperparameters(hp)["x"].values
        for value in own.values:
            assert pytest.approx(value) in values


def test_conditions_are_kept():
    hp = keras_tuner.HyperParameters()
    hp.Choice("kind", ["flat", "deep"])
    with hp.conditional_scope("kind", ["deep"]):
        hp.Int("depth", 2, 4)
    with hp.conditional_scope("kind", ["other"]):
        hp.Fixed("never", 1)
    found = read_hyperparameters(hp)
    assert found["depth"].conditions == (("kind", ("deep",)),)
    assert found["depth"].describe() == "(2, 4, 'linear') if kind in ['deep']"


def test_conditions_on_a_fixed_value_are_decided():
    hp = keras_tuner.HyperParameters()
    hp.Fixed("kind", "deep")
    with hp.conditional_scope("kind", ["deep"]):
        hp.Int("depth", 2, 4)
    with hp.conditional_scope("kind", ["flat"]):
        hp.Int("width", 2, 4)
    found = read_hyperparameters(hp)
    assert list(found) == ["kind", "depth"]
    assert found["depth"].conditions == ()


def test_unsupported_hyperparameters_are_refused():
    with pytest.raises(ValueError, match="'x' has sampling='reverse_log'"):
        read_hyperparameters(
            declared("Float", 0.1, 1.0, sampling="reverse_log")
        )
    hp = keras_tuner.HyperParameters()
    hp.Choice("kind", ["flat", "deep"])
    for kind in ("flat", "deep"):
        with hp.conditional_scope("kind", [kind]):
            hp.Int("width", 2, 4)
    with pytest.raises(ValueError, match="'width' is declared twice"):
        read_hyperparameters(hp)


def test_unsupported_hyperparameters_are_merged_for_finished_trials():
    hp = keras_tuner.HyperParameters()
    hp.Choice("kind", ["flat", "deep", "other"])
    with hp.conditional_scope("kind", ["flat"]):
        hp.Int("width", 2, 4)
        hp.Choice("name", ["a", "b"])
        hp.Int("same", 3, 3)
    with hp.conditional_scope("kind", ["deep"]):
        hp.Float("width", 3, 9)
        hp.Choice("name", ["b", "c"])
        hp.Int("same", 3, 3)
    hp.Float("rest", 0.1, 1.0, sampling="reverse_log")
    assert read_hyperparameters(hp, merge=True) == {
        "kind": Choices("kind", ("flat", "deep", "other")),
        "width": Range("width", 2, 9, "linear"),
        "name": Choices("name", ("a", "b", "c")),
        "same": Fixed("same", 3),
        "rest": Range("rest", 0.1, 1.0, "linear"),
    }


def test_values_outside_the_space_are_named():
    model = tuning.MultiTaskHyperModel(
        build, {"trunk_width": [4, 8], "optimizer": "sgd"}, merge=False
    )
    for name, value in (("trunk_width", 16), ("optimizer", "adam")):
        hp = keras_tuner.HyperParameters()
        hp.Fixed(name, value)
        with pytest.raises(ValueError, match=f"'{name}' is {value!r}; the"):
            model.build(hp)


def test_hyperparameters_are_a_space_of_a_factory(tmp_path):
    hp = keras_tuner.HyperParameters()
    hp.Choice("width", [2, 3, 4])
    hp.Float("loss_weight/right", 0.1, 10.0, sampling="log")
    study = search_small(tmp_path, space=hp)
    assert all(trial.completed for trial in study.trials)
    assert set(study.best.values) == {"width", "loss_weight/right"}
    model = tuning.MultiTaskHyperModel(build, hp_of_width(), merge=False)
    assert model.space == {"trunk_width": Choices("trunk_width", (4, 8))}


def hp_of_width():
    hp = keras_tuner.HyperParameters()
    hp.Int("trunk_width", 4, 8, step=4)
    return hp
