"""Rows of the table that `model.tasks` prints."""

import keras
import pytest

import mtl_keras
from mtl_keras import Classification, Regression
from mtl_keras.training.task_rows import task_rows


@pytest.fixture
def model():
    """Returns a model that is not compiled."""
    tasks = [Classification("stage", 3), Regression("age", loss_weight=0.5)]
    return mtl_keras.build_mlp((4,), tasks, compile=False)


def test_before_compile_the_tasks_decide(model):
    stage, age = task_rows(model)
    assert stage == (
        "stage",
        "(3,)",
        "Crossentropy",
        "1",
        "accuracy (max)",
        "-1, NaN",
    )
    assert (age.weight, age.metrics) == ("0.5", "rmse (min), mae")


def test_compile_overrides_the_tasks(model):
    model.compile(
        loss={"stage": None, "age": keras.losses.Huber(delta=2.0)},
        metrics={"age": ["mae"]},
        loss_weights={"age": 3.0},
    )
    stage, age = task_rows(model)
    assert stage.loss == "none"
    assert age[2:5] == ("Huber (delta=2)", "3", "mae")


def test_the_weight_is_the_current_one(model):
    model.compile()
    model.loss_weights["age"] = 0.25
    assert task_rows(model)[1].weight == "0.25"


def test_metrics_of_groups():
    tasks = [Classification(f"t{n}", 3) for n in range(9)]
    model = mtl_keras.build_mlp((4,), tasks)
    assert {row.metrics for row in task_rows(model)} == {"accuracy (max)"}
