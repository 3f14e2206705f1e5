"""Objectives: names, directions and errors."""

import keras_tuner
import numpy as np
import pytest
from tuning_problem import build_eager, samples

import mtl_keras
from mtl_keras.tuning.objective import (
    Objective,
    costs,
    delta_m,
    known_objectives,
    read_objectives,
)

KNOWN = {
    "left_accuracy": "max",
    "left_loss": "min",
    "left_custom": None,
    "loss": "min",
    "parameters": "min",
}


def read(given, weights_vary=True):
    found = read_objectives(given, KNOWN, weights_vary=weights_vary)
    return [(objective.name, objective.direction) for objective in found]


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ("left_accuracy", [("left_accuracy", "max")]),
        ("val_left_loss", [("left_loss", "min")]),
        (("left_custom", "max"), [("left_custom", "max")]),
        (
            ["left_accuracy", "parameters"],
            [("left_accuracy", "max"), ("parameters", "min")],
        ),
        (
            {"left_accuracy": None, "left_custom": "min"},
            [("left_accuracy", "max"), ("left_custom", "min")],
        ),
        (
            keras_tuner.Objective("val_left_custom", "min"),
            [("left_custom", "min")],
        ),
    ],
)
def test_objectives_are_read(given, expected):
    assert read(given) == expected


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ("val_left_acuracy", "Did you mean 'left_accuracy'"),
        ("left_custom", "its direction is unknown"),
        (("left_custom", "up"), "direction 'up'"),
        ([], "objective is empty"),
        (["left_loss", "val_left_loss"], "has a duplicate"),
        ("val_loss", "the smallest weights would win"),
    ],
)
def test_bad_objectives_are_refused(given, message):
    with pytest.raises((ValueError, TypeError), match=message):
        given = [given] if given == ("left_custom", "up") else given
        read(given)


def test_other_types_are_refused():
    with pytest.raises(TypeError, match="expected a name"):
        read(3)


def test_total_loss_is_an_objective_where_weights_are_fixed():
    assert read("val_loss", weights_vary=False) == [("loss", "min")]


def test_objectives_of_a_multi_task_model():
    tasks = [
        mtl_keras.Regression("heating", metrics=["rmse", "r2"]),
        mtl_keras.Classification("digit", 3),
    ]
    known = known_objectives(mtl_keras.build_mlp((4,), tasks))
    assert known["heating_rmse"] == "min" and known["heating_r2"] == "max"
    assert known["digit_accuracy"] == "max" and known["digit_loss"] == "min"
    assert {"delta_m", "parameters", "latency", "loss"} <= set(known)


def test_names_are_those_that_evaluation_has():
    model = build_eager()
    logs = model.evaluate(*samples(), verbose=0, return_dict=True)
    assert set(logs) <= set(known_objectives(model))


def test_delta_m_is_the_mean_relative_gain(rng):
    tasks = ["a", "b", "c"]
    values = dict(zip(tasks, rng.uniform(1, 2, 3), strict=True))
    references = dict(zip(tasks, rng.uniform(1, 2, 3), strict=True))
    directions = {"a": "min", "b": "max", "c": "min"}
    signs = np.array([-1, 1, -1])
    found = np.array(list(values.values()))
    of_single = np.array(list(references.values()))
    expected = np.mean(signs * (found - of_single) / of_single)
    assert delta_m(values, references, directions) == pytest.approx(expected)
    assert delta_m(references, references, directions) == 0


def test_a_reference_of_zero_is_refused():
    with pytest.raises(ValueError, match="'a': its single-task reference is 0"):
        delta_m({"a": 1.0}, {"a": 0.0}, {"a": "max"})


def test_less_cost_is_better():
    objectives = [Objective("accuracy", "max"), Objective("loss", "min")]
    assert costs({"loss": 2.0, "accuracy": 0.5}, objectives) == (-0.5, 2.0)
