"""Objectives of KerasTuner tuners: directions, and the total loss."""

import keras
import keras_tuner
import pytest
from tuning_problem import build_in_numpy, samples

import mtl_keras
from mtl_keras import tuning

DATA = samples()


@pytest.fixture(scope="module")
def model():
    """Builds a model with a custom metric."""
    own = keras.metrics.MeanAbsoluteError(name="gap")
    tasks = [
        mtl_keras.Classification("left", 3),
        mtl_keras.Regression("load", metrics=["r2", own], direction="max"),
    ]
    return mtl_keras.build_mlp((6,), tasks=tasks, hidden_units=(4,))


@pytest.mark.parametrize(
    ("name", "direction"),
    [
        ("left_accuracy", "max"),
        ("val_left_loss", "min"),
        ("load_r2", "max"),
        ("loss", "min"),
    ],
)
@pytest.mark.parametrize("knows_model", [True, False])
def test_the_direction_follows_from_the_name(
    name, direction, knows_model, model
):
    found = tuning.keras_tuner_objective(name, model if knows_model else None)
    assert isinstance(found, keras_tuner.Objective)
    assert found.name == f"val_{name.removeprefix('val_')}"
    assert found.direction == direction


def test_the_user_passes_the_direction_of_a_custom_metric(model):
    for given in (None, model):
        with pytest.raises(ValueError, match="Pass direction='max'"):
            tuning.keras_tuner_objective("load_gap", given)
        found = tuning.keras_tuner_objective("load_gap", given, direction="min")
        assert found == keras_tuner.Objective("val_load_gap", "min")


@pytest.mark.parametrize(
    ("name", "arguments", "message"),
    [
        ("left_acuracy", {"model": "given"}, "Did you mean 'left_accuracy'"),
        ("parameters", {}, "computed by mtl_keras.tuning.search"),
        ("val_delta_m", {}, "computed by mtl_keras.tuning.search"),
        ("left_accuracy", {"direction": "up"}, "direction='up'"),
    ],
)
def test_wrong_objectives_name_the_way_out(name, arguments, message, model):
    arguments = {
        **arguments,
        **({"model": model} if "model" in arguments else {}),
    }
    with pytest.raises(ValueError, match=message):
        tuning.keras_tuner_objective(name, **arguments)


def tuner_of(folder, objective, space):
    return keras_tuner.RandomSearch(
        tuning.MultiTaskHyperModel(build_in_numpy, space, merge=False),
        objective=objective,
        max_trials=1,
        directory=folder,
        seed=1,
    )


@pytest.mark.filterwarnings("ignore::DeprecationWarning:keras_tuner.*")
@pytest.mark.parametrize(
    "objective",
    ["val_loss", [keras_tuner.Objective("val_left_loss", "min"), "val_loss"]],
    ids=["alone", "among several"],
)
def test_the_total_loss_is_refused_while_loss_weights_vary(objective, tmp_path):
    tuner = tuner_of(tmp_path, objective, {"loss_weight": (0.1, 10.0)})
    with pytest.raises(ValueError, match=r"val_loss.*left_loss"):
        tuner.search(*DATA, epochs=1, validation_data=DATA, verbose=0)


@pytest.mark.filterwarnings("ignore::DeprecationWarning:keras_tuner.*")
def test_the_total_loss_is_taken_where_loss_weights_are_fixed(tmp_path):
    tuner = tuner_of(tmp_path, "val_loss", {"width": [3, 4]})
    tuner.search(*DATA, epochs=1, validation_data=DATA, verbose=0)
    (trial,) = tuner.oracle.trials.values()
    assert trial.status == "COMPLETED"
