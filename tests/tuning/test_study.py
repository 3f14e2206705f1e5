"""Studies: fronts, files and models."""

import csv
import dataclasses
import sys
import tomllib

import keras
import numpy as np
import pytest
from tuning_problem import build_in_numpy, samples, search_small

from mtl_keras import tuning
from mtl_keras.zoo.recipe import Fit, Named, Optimizer


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    return search_small(
        tmp_path_factory.mktemp("study"),
        space={
            "width": [2, 3, 4],
            "loss_weight": (0.1, 10.0),
            "learning_rate": (1e-3, 1e-1),
            "optimizer": keras.optimizers.SGD(momentum=0.9),
            "batch_size": [24, 48],
        },
        objective=["left_accuracy", "right_accuracy", "parameters"],
        max_trials=6,
    )


def study_of(study, trials):
    """Creates a study with these trials."""
    return tuning.Study(
        study.folder, {}, study.objectives, trials, study._hyper_model, {}
    )


def test_no_trial_dominates_the_front(study):
    front = study.pareto_front()
    for trial in front:
        for other in study.completed:
            a, b = trial.objectives, other.objectives
            signs = {"parameters": -1}
            gains = [signs.get(n, 1) * (b[n] - a[n]) for n in a]
            assert min(gains) < 0 or max(gains) == 0
    assert study.best == study.knee()
    assert study.knee() in front


def test_hypervolume_by_default_and_by_a_corner(study):
    worst = {
        "left_accuracy": 0.0,
        "right_accuracy": 0.0,
        "parameters": 1000.0,
    }
    assert study.hypervolume(worst) > study.hypervolume() >= 0


def test_every_trial_of_the_front_has_its_model(study):
    for trial in study.pareto_front():
        model = study.best_model(trial)
        assert model.count_params() == trial.objectives["parameters"]
        logs = model.evaluate(*samples(seed=1), verbose=0, return_dict=True)
        assert logs["left_accuracy"] == pytest.approx(
            trial.objectives["left_accuracy"]
        )
    first, second = study.best_model(), study.best_model()
    assert first is not second


def test_weights_of_dominated_trials_are_removed(study):
    front = {trial.number for trial in study.pareto_front()}
    for trial in study.trials:
        if trial.number not in front:
            with pytest.raises(
                FileNotFoundError, match="on the Pareto front are kept"
            ):
                study.best_model(trial)
    kept = {int(p.stem) for p in (study.folder / "weights").iterdir()}
    assert kept == front


def test_the_table_has_a_row_for_each_trial(study):
    with (study.folder / "trials.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert [int(row["trial"]) for row in rows] == list(range(6))
    for row, trial in zip(rows, study.trials, strict=True):
        assert float(row["left_accuracy"]) == trial.objectives["left_accuracy"]
        weights = [float(row["weight/left"]), float(row["weight/right"])]
        assert sum(weights) == pytest.approx(2)
        assert weights[1] / weights[0] == pytest.approx(
            float(row["loss_weight/right"])
        )


def test_a_data_frame_has_them_too(study):
    pandas = pytest.importorskip("pandas")
    frame = study.data_frame()
    assert len(frame) == 6 and "learning_rate" in frame
    written = pandas.read_csv(
        study.folder / "trials.csv", keep_default_na=False
    )
    pandas.testing.assert_frame_equal(frame, written)


@pytest.mark.slow
def test_the_report_has_pictures_and_importances(study, tmp_path, monkeypatch):
    matplotlib = pytest.importorskip("matplotlib")
    monkeypatch.setattr("mtl_keras.tuning.importance._TREES", 30)
    monkeypatch.setitem(matplotlib.rcParams, "savefig.dpi", 30)
    paths = study.save_report(tmp_path / "report")
    assert [path.name for path in paths] == [
        "history.png",
        "parallel.png",
        "pareto.png",
        "importance.csv",
    ]
    for path in paths[:-1]:
        assert path.read_bytes()[:4] == b"\x89PNG"
    with paths[-1].open() as file:
        rows = list(csv.DictReader(file))
    for objective, found in study.importance().items():
        written = {
            row["hyperparameter"]: float(row["share"])
            for row in rows
            if row["objective"] == objective
        }
        assert list(written) == list(found.shares)
        assert written == pytest.approx(found.shares, abs=1e-4)


def test_pictures_are_those_of_its_objectives(study):
    pytest.importorskip("matplotlib")
    titles = [axes.get_title() for axes in study.plot_history().axes]
    assert titles == [*(o.name for o in study.objectives), "hypervolume"]
    assert study.plot_history().axes[-1].lines[0].get_ydata()[-1] == (
        study.hypervolume()
    )
    assert len(study.plot_pareto().axes) == 3
    drawn = [line.get_gid() for line in study.plot_parallel().axes[0].lines]
    assert sorted(filter(None, drawn)) == [f"trial {at}" for at in range(6)]


@pytest.mark.parametrize(
    "plot", ["plot_history", "plot_pareto", "plot_parallel"]
)
def test_plots_name_missing_packages(study, monkeypatch, plot):
    empty = study_of(study, [])
    with pytest.raises(tuning.AllTrialsFailedError, match="No trial"):
        getattr(empty, plot)()
    failed = dataclasses.replace(
        study.trials[0], status="failed", reason="no memory"
    )
    with pytest.raises(tuning.AllTrialsFailedError, match="no memory"):
        getattr(study_of(study, [failed]), plot)()
    monkeypatch.delitem(
        sys.modules, "mtl_keras.evaluation.figure", raising=False
    )
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    with pytest.raises(ImportError, match="pip install matplotlib"):
        getattr(study, plot)()


@pytest.mark.slow
def test_one_objective_has_no_plot_of_a_front(tmp_path):
    pytest.importorskip("matplotlib")
    study = search_small(tmp_path, validation=None, folds=2, max_trials=2)
    names = [path.name for path in study.save_report()]
    assert names == ["history.png", "parallel.png"]
    (axes,) = study.plot_history().axes
    (bars,) = axes.collections
    for trial, ends in zip(study.trials, bars.get_segments(), strict=True):
        value = trial.objectives["left_accuracy"]
        spread = trial.deviations["left_accuracy"]
        assert ends[:, 1] == pytest.approx((value - spread, value + spread))


def test_the_study_records_the_search(study):
    text = (study.folder / "study.toml").read_text()
    found = tomllib.loads(text)
    assert found["factory"]["name"] == "build_in_numpy"
    assert found["space"]["width"] == [2, 3, 4]
    assert found["space"]["loss_weight/right"]["scale"] == "log"
    assert found["search"]["objective"]["parameters"] == "min"
    assert found["optimizer"]["arguments"] == {"momentum": 0.9}
    assert "Pass it to tuning.search" in text and "[data]" not in text


def test_the_best_pastes_into_a_recipe(study):
    found = tomllib.loads((study.folder / "best.toml").read_text())
    best = study.best
    factory = Named.model_validate(found["factory"])
    assert factory.arguments["loss_weights"] == best.loss_weights
    optimizer = Optimizer.model_validate(found["optimizer"])
    assert optimizer.learning_rate == best.values["learning_rate"]
    assert optimizer.name == "sgd"
    assert optimizer.arguments == {"momentum": 0.9}
    fit = Fit.model_validate(found["fit"])
    assert fit.batch_size == best.values["batch_size"]
    # The factory takes what the recipe says.
    built = build_in_numpy(
        **factory.arguments,
        optimizer=keras.optimizers.get(
            {
                "class_name": optimizer.name,
                "config": {
                    **optimizer.arguments,
                    "learning_rate": optimizer.learning_rate,
                },
            }
        ),
    )
    weights = dict(built.loss_weights)
    assert weights == pytest.approx(best.loss_weights)


def test_it_is_saved_elsewhere_as_well(study, tmp_path):
    study.save(tmp_path / "copy")
    for name in ("study.toml", "trials.csv", "best.toml"):
        expected = (study.folder / name).read_text()
        assert (tmp_path / "copy" / name).read_text() == expected


def test_without_trials_there_is_no_best(study):
    empty = study_of(study, [])
    with pytest.raises(tuning.AllTrialsFailedError, match="No trial"):
        _ = empty.best
    assert np.isfinite(study.hypervolume())
