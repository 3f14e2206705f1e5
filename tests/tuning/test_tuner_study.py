"""Studies from KerasTuner tuners."""

from pathlib import Path

import keras_tuner
import pytest
from tuning_problem import build, build_in_numpy, samples

from mtl_keras import tuning
from mtl_keras.tuning.multi_task_hyper_model import MultiTaskHyperModel

pytestmark = [
    pytest.mark.filterwarnings("ignore::DeprecationWarning:keras_tuner.*"),
    # KerasTuner loads weights into a model whose optimizer is not built.
    pytest.mark.filterwarnings("ignore:Skipping variable loading"),
]
DATA, VALIDATION = samples(), samples(seed=1)
BOTH = ["left_accuracy", "right_accuracy"]


def run_tuner(folder, hyper_model, objective=None, max_trials=5, **arguments):
    tuner = keras_tuner.RandomSearch(
        hyper_model,
        objective=objective or tuning.keras_tuner_objective("left_accuracy"),
        max_trials=max_trials,
        directory=folder,
        seed=1,
        **arguments,
    )
    tuner.search(
        *DATA, epochs=2, batch_size=24, validation_data=VALIDATION, verbose=0
    )
    return tuner


@pytest.fixture(scope="module")
def tuner(tmp_path_factory):
    """Runs a search that varies loss weights and widths."""
    space = {"loss_weight": (0.1, 10.0), "width": [2, 3]}
    return run_tuner(
        tmp_path_factory.mktemp("tuner"),
        MultiTaskHyperModel(build_or_fail, space, merge=False),
        max_consecutive_failed_trials=5,
    )


def build_or_fail(width=2, loss_weights=None, optimizer="sgd"):
    if width == 3 and loss_weights is not None:
        raise ValueError("no width of 3")
    return build_in_numpy(width, loss_weights, optimizer)


def test_trials_scores_and_values_match_the_tuner(tuner):
    study = tuning.Study.from_tuner(tuner)
    assert len(study.trials) == 5
    assert {trial.completed for trial in study.trials} == {True, False}
    best = tuner.oracle.get_best_trials(1)[0]
    assert study.best.objectives == {"left_accuracy": best.score}
    assert study.best.epochs == best.best_step + 1
    for trial in study.trials:
        if trial.completed:
            assert set(trial.metrics) >= {"left_loss", "right_accuracy", "loss"}
            assert sum(trial.loss_weights.values()) == pytest.approx(2)
        else:
            assert trial.reason.startswith("ValueError: no width")
            assert trial.values["width"] == 3


def test_the_front_uses_the_requested_metrics(tuner):
    study = tuning.Study.from_tuner(tuner, objective=BOTH)
    assert [each.direction for each in study.objectives] == ["max", "max"]
    front = study.pareto_front()
    for trial in study.completed:
        dominated = any(
            all(other.objectives[n] >= trial.objectives[n] for n in BOTH)
            and other.objectives != trial.objectives
            for other in study.completed
        )
        assert (trial in front) == (not dominated)


def test_plots_importance_and_files(tuner, tmp_path):
    study = tuning.Study.from_tuner(tuner, objective=BOTH)
    for plot in (study.plot_pareto, study.plot_parallel, study.plot_history):
        figure = plot()
        assert figure.axes
    figure.savefig(tmp_path / "picture.png", dpi=40)
    assert (tmp_path / "picture.png").stat().st_size > 1000
    before = sorted(tuner_files(tuner))
    study.save(tmp_path / "saved")
    assert {path.name for path in (tmp_path / "saved").iterdir()} == {
        "best.toml",
        "study.toml",
        "trials.csv",
    }
    assert sorted(tuner_files(tuner)) == before
    text = (tmp_path / "saved" / "study.toml").read_text()
    assert 'tuner = "random"' in text and "epochs" not in text


def tuner_files(tuner):
    return map(str, Path(tuner.project_dir).rglob("*"))


def test_best_model_loads_the_model_of_the_tuner(tuner):
    study = tuning.Study.from_tuner(tuner)
    logs = study.best_model().evaluate(*VALIDATION, verbose=0, return_dict=True)
    assert logs["left_accuracy"] == pytest.approx(
        study.best.objectives["left_accuracy"]
    )


@pytest.mark.slow
def test_a_tuner_that_reloads_its_trials_has_the_same_study(tuner):
    again = keras_tuner.RandomSearch(
        tuner.hypermodel,
        objective=tuner.oracle.objective,
        max_trials=5,
        directory=tuner.directory,
        seed=1,
    )
    assert (
        tuning.Study.from_tuner(again).trials
        == tuning.Study.from_tuner(tuner).trials
    )


@pytest.mark.parametrize(
    ("objective", "message"),
    [
        ("left_acuracy", "Did you mean 'left_accuracy'"),
        ("loss", "differ between trials"),
        ("parameters", "computed by mtl_keras.tuning.search"),
    ],
)
def test_wrong_objectives_are_refused(tuner, objective, message):
    with pytest.raises(ValueError, match=message):
        tuning.Study.from_tuner(tuner, objective=objective)


def test_something_else_is_not_a_tuner():
    with pytest.raises(TypeError, match="expected a tuner of KerasTuner"):
        tuning.Study.from_tuner("tuner")


@pytest.mark.slow
def test_a_build_function_of_a_stock_tuner(tmp_path):
    def build_by_kind(hp):
        kind = hp.Choice("kind", ["narrow", "wide"])
        width = 2
        if kind == "wide":
            with hp.conditional_scope("kind", ["wide"]):
                width = hp.Int("width", 4, 6)
        return build(width)

    objectives = [
        tuning.keras_tuner_objective("left_accuracy"),
        tuning.keras_tuner_objective("right_loss"),
    ]
    tuner = run_tuner(tmp_path, build_by_kind, objectives, max_trials=4)
    study = tuning.Study.from_tuner(tuner)
    assert study.settings["factory"] == "build_by_kind"
    assert [(o.name, o.direction) for o in study.objectives] == [
        ("left_accuracy", "max"),
        ("right_loss", "min"),
    ]
    for trial in study.trials:
        assert ("width" in trial.values) == (trial.values["kind"] == "wide")
    study.plot_parallel()
    assert study.best_model().count_params() > 0
    with pytest.raises(ValueError, match="has no metric 'val_middle_loss'"):
        tuning.Study.from_tuner(tuner, objective="middle_loss")
