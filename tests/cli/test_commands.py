"""Every command, in this process."""

import csv
import functools
import json
import shutil
from pathlib import Path

import pytest

from mtl_keras import datasets, models, zoo

FACTORY = (
    *("train", "build_cnn_cls_seg", "--data", "digit_scenes"),
    *("--epochs", 1, "--batch-size", 16, "--seed", 3),
    *("--loss-weight", "segmentation=0.5"),
    *("--loss-weight", "classification=2"),
)


def check_recipe(recipe):
    """Checks that a recipe matches these options."""
    assert recipe.factory.name == "build_cnn_cls_seg"
    assert recipe.data.name == "digit_scenes"
    assert recipe.factory.arguments["loss_weights"] == {
        "classification": 2.0,
        "segmentation": 0.5,
    }
    assert (recipe.fit.epochs, recipe.fit.batch_size) == (1, 16)


@pytest.fixture
def few_scenes(monkeypatch):
    """Makes `digit_scenes` small."""
    load_data = datasets.digit_scenes.load_data

    def few(num_train=32, num_test=4, seed=0):
        return load_data(num_train, num_test, seed)

    monkeypatch.setattr(datasets.digit_scenes, "load_data", few)


def test_options_reach_the_training(
    run_command, trainings, few_scenes, tmp_path, monkeypatch
):
    monkeypatch.chdir(tmp_path)
    result = run_command(*FACTORY)
    assert result.exit_code == 0, result.output
    ((recipe, output, how),) = trainings
    check_recipe(recipe)
    assert output == Path("runs") / "cnn_cls_seg_digit_scenes-3"
    assert how["seed"] == 3
    assert not how["overwrite"] and not how["resume"]
    assert len(how["callbacks"]) == 1


@pytest.mark.slow
def test_train_a_factory(run_command, few_scenes, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    small = functools.partial(models.build_cnn_cls_seg, filters=(2, 4))
    monkeypatch.setattr(models.factories, "build_cnn_cls_seg", small)
    result = run_command(*FACTORY)
    assert result.exit_code == 0, result.output
    folder = tmp_path / "runs" / "cnn_cls_seg_digit_scenes-3"
    recipe = zoo.load_recipe(folder / "recipe.toml")
    check_recipe(recipe)
    assert recipe.seeds == (3,)


@pytest.mark.slow
def test_train_all_seeds(run_command, recipe_path, tmp_path):
    folder = tmp_path / "all"
    result = run_command("train", recipe_path, "--output", folder)
    assert result.exit_code == 0, result.output
    assert "±" in result.stdout
    # The labels are described once, not for each seed.
    assert result.stdout.count("labelled") == 1
    metrics = json.loads((folder / "metrics.json").read_text())
    assert metrics["seeds"] == [0, 1]
    assert {path.name for path in folder.iterdir()} == {
        "metrics.json",
        "recipe.toml",
        "seed-0",
        "seed-1",
    }


def test_output_that_holds_a_run(run_command, recipe_path, trained):
    command = ("train", recipe_path, "--seed", 0, "--output", trained)
    refused = run_command(*command)
    assert refused.exit_code == 2
    assert "holds another run" in refused.stderr
    assert len(refused.stderr.splitlines()) == 1
    assert run_command(*command, "--resume").exit_code == 0


def test_overwrite_and_resume_are_handed_on(
    run_command, recipe_path, trainings, tmp_path
):
    command = ("train", recipe_path, "--seed", 0, "--output", tmp_path)
    assert run_command(*command, "--overwrite").exit_code == 0
    assert run_command(*command, "--resume").exit_code == 0
    found = [(how["overwrite"], how["resume"]) for _, _, how in trainings]
    assert found == [(True, False), (False, True)]


@pytest.mark.slow
def test_overwriting(run_command, recipe_path, trained, tmp_path):
    folder = shutil.copytree(trained, tmp_path / "run")
    (folder / "notes.txt").write_text("mine")
    result = run_command(
        *("train", recipe_path, "--seed", 0, "--output", folder, "--overwrite")
    )
    assert result.exit_code == 0, result.output
    assert (folder / "notes.txt").read_text() == "mine"


@pytest.mark.parametrize(
    ("kept", "said"),
    [(True, "--resume continues"), (False, "nothing is saved")],
)
def test_an_interruption_ends_with_130(
    run_command, recipe_path, tmp_path, monkeypatch, kept, said
):
    def train(recipe, output, **how):
        if kept:
            (output / "model.keras").write_text("of the best epoch")
        raise KeyboardInterrupt

    monkeypatch.setattr(zoo, "train", train)
    result = run_command(
        "train", recipe_path, "--seed", 0, "--output", tmp_path
    )
    assert result.exit_code == 130
    assert said in result.stdout and result.stderr == ""


def test_evaluate(run_command, trained):
    metrics = json.loads((trained / "metrics.json").read_text())
    loss = metrics["test"]["classification"]["loss"]
    for model in (trained, trained / "model.keras"):
        result = run_command("evaluate", model)
        assert result.exit_code == 0, result.output
        assert f"{loss:.4f}" in result.stdout


def test_predict(run_command, trained, tmp_path):
    result = run_command(
        *("predict", trained, "--output", tmp_path / "out"),
        *("--num-samples", 8),
    )
    assert result.exit_code == 0, result.output
    with (tmp_path / "out" / "predictions.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 8
    assert "classification_confidence" in rows[0]
    assert (tmp_path / "out" / "predictions-1.png").is_file()


def test_export(run_command, trained, tmp_path):
    output = tmp_path / "saved"
    result = run_command("export", trained, "--output", output)
    assert result.exit_code == 0, result.output
    assert (output / "saved_model.pb").is_file()
    again = run_command("export", trained, "--output", output)
    assert again.exit_code == 2
    assert "exists" in again.stderr


def test_results(run_command, tmp_path):
    output = tmp_path / "results.csv"
    result = run_command("results", "--output", output)
    assert result.exit_code == 0
    assert output.read_text().startswith("entry,task,metric")


@pytest.mark.parametrize(
    ("command", "said"),
    [
        ("trian", "Did you mean 'train'"),
        ("train build_mpl", "Did you mean 'build_mlp'"),
        ("train build_mlp", "add --data NAME"),
        ("train build_mlp --data digits", "Did you mean 'digit_scenes'"),
        ("train build_mlp --data energy", "--data-path"),
        ("train mlp_energy --data energy", "are for a factory"),
        ("train mlp_energy --data-path nowhere.csv", "nowhere.csv"),
        ("train mlp_energy --epochs 0", "'fit.epochs' is 0"),
        ("train mlp_energy --epochs many", "'--epochs'"),
        ("train mlp_energy --loss-weight heating", "TASK=WEIGHT"),
        ("train damaged.toml", "is not a TOML file"),
        ("evaluate nothing.keras", "There is no file 'nothing.keras'"),
        ("evaluate damaged.keras --data energy", "cannot be loaded"),
        ("export damaged.keras --output out", "cannot be loaded"),
    ],
)
def test_errors_are_one_line(run_command, tmp_path, monkeypatch, command, said):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "damaged.toml").write_text("[factory")
    (tmp_path / "damaged.keras").write_bytes(b"PK no more")
    result = run_command(*command.split())
    assert result.exit_code == 2
    assert said in result.stderr
    assert len(result.stderr.splitlines()) == 1
    assert not (tmp_path / "runs").exists()


def test_no_data_beside_the_model(run_command, trained, tmp_path):
    alone = tmp_path / "alone.keras"
    alone.write_bytes((trained / "model.keras").read_bytes())
    result = run_command("evaluate", alone)
    assert result.exit_code == 2
    assert "add --data NAME" in result.stderr


def test_a_run_that_fails_ends_with_1(run_command, tmp_path, recipe_path):
    path = tmp_path / "explodes.toml"
    text = recipe_path.read_text().replace("0.01", "1e38")
    path.write_text(text.replace("epochs = 1", "epochs = 9"))
    result = run_command(
        "train", path, "--seed", 0, "--output", tmp_path / "run"
    )
    assert result.exit_code == 1
    assert "non-finite" in result.stderr
    assert len(result.stderr.splitlines()) == 1


def test_debug_shows_the_traceback(run_command, monkeypatch):
    monkeypatch.setenv("MTL_KERAS_DEBUG", "")
    result = run_command("--debug", "train", "build_mlp")
    assert isinstance(result.exception, ValueError)
