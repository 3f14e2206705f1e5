"""Searching a HyperModel with a custom `fit`."""

import keras_tuner
import pytest
from tuning_problem import build_eager, build_in_numpy, search_small

from mtl_keras import tuning


class Sized(keras_tuner.HyperModel):
    """A hypermodel with a custom `fit`."""

    def build(self, hp):
        hp.Choice("size", [16, 24])
        return build_in_numpy(3)

    def fit(self, hp, model, *args, **kwargs):
        kwargs["batch_size"] = hp.get("size")
        return model.fit(*args, **kwargs)


class SizedInKeras(Sized):
    """A hypermodel with a custom `fit` and a Keras network."""

    def build(self, hp):
        super().build(hp)
        return build_eager(3)


class DeclaresInFit(Sized):
    """Declares hyperparameters in `fit`, as in KerasTuner's guide."""

    def fit(self, hp, model, *args, **kwargs):
        return model.fit(
            *args, batch_size=hp.Choice("batch_size", [16, 24]), **kwargs
        )


class Returns(Sized):
    """Returns a result, and ignores the callbacks."""

    def __init__(self, result):
        super().__init__()
        self.result = result

    def fit(self, hp, model, *args, callbacks, **kwargs):
        model.fit(*args, **kwargs)
        return self.result


@pytest.fixture
def one_model(monkeypatch):
    """Builds one model for all trials, to save time."""
    model = build_in_numpy()
    monkeypatch.setitem(globals(), "build_in_numpy", lambda width: model)


def search(folder, hyper_model, **arguments):
    return search_small(folder, hyper_model, None, **arguments)


@pytest.mark.parametrize(
    "hyper_model",
    [Sized, pytest.param(SizedInKeras, marks=pytest.mark.slow)],
)
def test_the_fit_of_a_hypermodel_is_called(tmp_path, hyper_model):
    study = search(tmp_path, hyper_model(), max_trials=None, tuner="grid")
    assert {trial.values["size"] for trial in study.trials} == {16, 24}
    assert all(trial.completed for trial in study.trials)
    # Another batch size, other steps: the scores differ.
    losses = [trial.metrics["left_loss"] for trial in study.trials]
    assert losses[0] != losses[1]


def test_hyperparameters_of_a_fit_are_found(tmp_path, one_model):
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
def test_the_result_of_a_fit_counts(tmp_path, one_model, result):
    study = search(tmp_path, Returns(result), max_trials=1)
    assert study.best.objectives == {"left_accuracy": 0.25}


@pytest.mark.parametrize(
    ("result", "message"),
    [
        (None, "pass its callbacks on to model.fit"),
        ([0.25, 0.5], "expected a History, a number or a dict"),
        ({"val_right_accuracy": 0.25}, "left_accuracy"),
    ],
)
def test_wrong_results_of_a_fit_name_the_way_out(
    tmp_path, one_model, result, message
):
    with pytest.raises(tuning.AllTrialsFailedError, match=message):
        search(tmp_path, Returns(result), max_trials=1)


def test_one_number_is_not_enough_for_two_objectives(tmp_path, one_model):
    with pytest.raises(tuning.AllTrialsFailedError, match="Return a dict"):
        search(
            tmp_path,
            Returns(0.25),
            max_trials=1,
            objective=["left_accuracy", "right_accuracy"],
        )
