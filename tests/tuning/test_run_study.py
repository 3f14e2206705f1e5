"""Study files: run, resumed, written and run again."""

import tomllib

import numpy as np
import pytest
from small_studies import quick_study, write_study

import mtl_keras
from mtl_keras import tuning, zoo
from mtl_keras.tuning import trial_runner
from mtl_keras.tuning.run_study import plan_study
from mtl_keras.tuning.trial_positions import varied_dimensions


def outcomes(study):
    return [(t.labels, t.status, t.objectives, t.metrics) for t in study.trials]


@pytest.fixture(scope="module", autouse=True)
def eagerly():
    """Trains eagerly, which is faster than tracing for a few steps."""
    fit = trial_runner.fit_model

    def eager(model, *arguments, **more):
        model.run_eagerly = True
        return fit(model, *arguments, **more)

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(trial_runner, "fit_model", eager)
        yield


@pytest.fixture(scope="module")
def path(tmp_path_factory):
    folder = tmp_path_factory.mktemp("studies") / "quick"
    return write_study(folder, fit={"epochs": 1, "batch_size": 40})


@pytest.fixture(scope="module")
def study(path):
    return tuning.run_study(path, verbose=0)


def test_results_lie_beside_the_study_which_stays(path, study):
    assert study.folder == path.parent
    assert path.read_text().startswith("# Mine.")
    names = {each.name for each in path.parent.iterdir()}
    assert {"trials.csv", "best.toml", "journal.jsonl"} <= names
    assert [trial.completed for trial in study.trials] == [True, True]


@pytest.mark.slow
def test_it_goes_on_with_more_trials(path, study, tmp_path, monkeypatch):
    copied = tmp_path / "quick"
    copied.mkdir()
    for name in ("study.toml", "journal.jsonl"):
        (copied / name).write_bytes((path.parent / name).read_bytes())
    with monkeypatch.context() as patched:
        patched.setattr(trial_runner, "fit_model", None)
        again = tuning.run_study(copied, verbose=0)
    assert outcomes(again) == outcomes(study)
    more = tuning.change_study(tuning.load_study_recipe(copied), max_trials=3)
    longer = tuning.run_study(more, copied, verbose=0)
    assert outcomes(longer)[:2] == outcomes(study)
    assert len(longer.trials) == 3


def test_a_saved_study_is_the_same_study(path, study, tmp_path):
    study.save(tmp_path)
    written = tuning.load_study_recipe(tmp_path / "study.toml")
    own = tuning.load_study_recipe(path)
    assert written.model_copy(update={"name": own.name}) == own
    study.save(tmp_path)  # its own file may be written again


def test_the_file_of_another_study_is_never_overwritten(study, tmp_path):
    other = write_study(tmp_path, fit={"epochs": 9})
    before = other.read_text()
    with pytest.raises(FileExistsError, match="of another study"):
        study.save(tmp_path)
    assert other.read_text() == before
    assert not (tmp_path / "trials.csv").exists()


@pytest.mark.slow
def test_the_best_is_a_recipe_that_trains(study, tmp_path):
    recipe = zoo.load_recipe(study.folder / "best.toml")
    assert recipe.name == "quick"
    rate = recipe.optimizer.learning_rate
    assert rate == study.best.values["learning_rate"]
    metrics = zoo.train(recipe, tmp_path / "run")
    assert metrics["epochs"] <= 2


@pytest.mark.slow
def test_a_search_from_python_is_the_same_study(path, study, tmp_path):
    values = quick_study()
    data = zoo.load_data(tuning.load_study_recipe(path).recipe)
    searched = tuning.search(
        mtl_keras.build_mlp,
        {
            "input_shape": [data.train[0].shape[1:]],
            "hidden_units": [[4]],
            "tasks": [list(data.tasks)],
            "learning_rate": (1e-3, 1e-1),
        },
        data.train,
        data.validation,
        **values["search"],
        merge=False,
        epochs=1,
        batch_size=40,
        directory=tmp_path,
        name="python",
        verbose=0,
    )
    assert outcomes(searched) == outcomes(study)
    written = tmp_path / "python" / "study.toml"
    with pytest.raises(ValueError, match="'data' is missing"):
        tuning.load_study_recipe(written)
    text = written.read_text() + (
        "[data]\nname = 'digit_scenes'\n"
        "arguments = {num_train = 48, num_test = 8}\n"
    )
    named = tmp_path / "named.toml"
    named.write_text(
        text.replace("[fit]", "[fit]\nnum_validation = 8"), encoding="utf-8"
    )
    again = tuning.run_study(named, tmp_path / "again", verbose=0)
    assert outcomes(again) == outcomes(study)


def test_another_study_in_the_folder_is_refused(path, study):
    recipe = tuning.load_study_recipe(path)
    for change, said in [
        ({"epochs": 3}, "epochs was 1 and is 3"),
        (
            {"data_arguments": {"num_train": 48, "seed": 1}},
            "data: arguments: seed was nothing and is 1",
        ),
    ]:
        other = tuning.change_study(recipe, **change)
        with pytest.raises(ValueError, match=said):
            tuning.run_study(other, path.parent, verbose=0)


@pytest.mark.slow
def test_a_schedule_stays_in_the_best_recipe(tmp_path):
    rate = {
        "name": "CosineDecay",
        "arguments": {"initial_learning_rate": 0.01},
    }
    path = write_study(
        tmp_path / "schedule",
        factory={"arguments": {}},
        optimizer={"name": "adamw", "learning_rate": rate},
        space={"hidden_units": [[3], [4]], "weighting": ["equal"]},
        search={"max_trials": 1},
    )
    study = tuning.run_study(path, verbose=0)
    best = tomllib.loads((path.parent / "best.toml").read_text())
    assert best["optimizer"]["learning_rate"]["name"] == "CosineDecay"
    model = study.best_model()
    schedule = model.optimizer.get_config()["learning_rate"]["config"]
    assert schedule["decay_steps"] == 2 * 3  # epochs times steps


@pytest.mark.slow
def test_folds_split_all_training_data(tmp_path, monkeypatch):
    counts = []
    fit = trial_runner.fit_model

    def counted(model, part, *arguments, **more):
        counts.append(len(part.train[0]) + len(part.validation[0]))
        return fit(model, part, *arguments, **more)

    monkeypatch.setattr(trial_runner, "fit_model", counted)
    path = write_study(
        tmp_path / "folds",
        fit={"num_validation": None, "epochs": 1},
        search={"folds": 2, "max_trials": 1},
    )
    tuning.run_study(path, verbose=0)
    assert counts == [48, 48]


def test_without_a_space_the_factory_has_its_own(tmp_path):
    path = write_study(
        tmp_path / "published", space=None, search={"max_trials": 1}
    )
    plan = plan_study(tuning.load_study_recipe(path))
    # Hidden units are fixed, and so are width and depth; one task alone has
    # no weights to search.
    assert set(varied_dimensions(plan.hyper_model.space)) == {
        "dropout",
        "learning_rate",
    }


@pytest.mark.slow
def test_standardized_data_goes_to_workers(tmp_path):
    path = write_study(
        tmp_path / "standardized", data={"preprocessing": "standardize"}
    )
    one = tuning.run_study(path, tmp_path / "one", verbose=0)
    two = tuning.run_study(path, tmp_path / "two", workers=2, verbose=0)
    for found, expected in zip(two.trials, one.trials, strict=True):
        for name, value in expected.metrics.items():
            np.testing.assert_allclose(found.metrics[name], value, rtol=1e-4)
