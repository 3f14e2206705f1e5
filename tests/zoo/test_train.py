"""Runs: what they write, that seeds repeat them, that they can be resumed."""

import csv
import json

import keras
import numpy as np
import pytest

import mtl_keras
from mtl_keras import zoo


class StopAt(keras.callbacks.Callback):
    """Stops a run as Ctrl-C would, in the middle of an epoch."""

    def __init__(self, epoch):
        super().__init__()
        self.epoch = epoch
        self.now = None

    def on_epoch_begin(self, epoch, logs=None):
        """Remembers the epoch."""
        self.now = epoch

    def on_train_batch_end(self, batch, logs=None):
        """Interrupts after the second step of the epoch."""
        if self.now == self.epoch and batch == 1:
            raise KeyboardInterrupt


def weights(folder):
    """Weights of a run."""
    return mtl_keras.load_model(folder / "model.keras").get_weights()


def history(folder):
    """Text of a run's history."""
    return (folder / "history.csv").read_text()


@pytest.fixture(scope="module")
def finished(recipe, tmp_path_factory):
    """The folder of a finished run."""
    folder = tmp_path_factory.mktemp("run") / "finished"
    zoo.train(recipe, folder, seed=5)
    return folder


@pytest.fixture(scope="module")
def quickly_finished(quick, tmp_path_factory):
    """The folder of a finished run of the smallest model."""
    folder = tmp_path_factory.mktemp("run") / "finished"
    zoo.train(quick, folder, seed=5)
    return folder


def test_writes(finished):
    names = {path.name for path in finished.iterdir()}
    assert names == {
        "history.csv",
        "history.png",
        "metrics.json",
        "model.keras",
        "predictions.png",
        "recipe.toml",
        "saved_model",
        "tensorboard",
    }
    metrics = json.loads((finished / "metrics.json").read_text())
    assert set(metrics["test"]) == {"classification", "segmentation"}
    assert list(metrics["test"]["segmentation"]) == ["iou", "loss"]
    assert metrics["seed"] == 5
    assert metrics["parameters"] > 0 and metrics["seconds"] > 0
    assert set(metrics["machine"]) == {"processor", "cores", "gpus"}
    rows = list(csv.DictReader(history(finished).splitlines()))
    assert [row["epoch"] for row in rows] == ["1", "2", "3"]
    losses = [float(row["val_loss"]) for row in rows]
    assert metrics["best_epoch"] == 1 + int(np.argmin(losses))


def test_model_is_the_best_epoch(finished, recipe):
    metrics = json.loads((finished / "metrics.json").read_text())
    model = mtl_keras.load_model(finished / "model.keras")
    x, y = zoo.load_data(recipe).test
    again = mtl_keras.evaluation.evaluate_by_task(model, x, y)
    for task, values in metrics["test"].items():
        assert again[task] == pytest.approx(values, rel=1e-4)


@pytest.mark.parametrize(
    ("finished_run", "of_recipe"),
    [
        ("quickly_finished", "quick"),
        pytest.param("finished", "recipe", marks=pytest.mark.slow),
    ],
)
def test_seed_repeats_and_resume_equals_uninterrupted(
    finished_run, of_recipe, request, tmp_path
):
    finished = request.getfixturevalue(finished_run)
    recipe = request.getfixturevalue(of_recipe)
    output = tmp_path / "stopped"
    with pytest.raises(KeyboardInterrupt):
        zoo.train(recipe, output, seed=5, callbacks=[StopAt(2)])
    assert (output / "model.keras").is_file()
    assert len(history(output).splitlines()) == 3
    assert not (output / "metrics.json").exists()
    zoo.train(recipe, output, seed=5, resume=True)
    assert history(output) == history(finished)
    for here, there in zip(weights(output), weights(finished), strict=True):
        np.testing.assert_array_equal(here, there)


def test_interrupted_before_the_first_epoch(quick, tmp_path):
    with pytest.raises(KeyboardInterrupt):
        zoo.train(quick, tmp_path / "run", callbacks=[StopAt(0)])
    assert [p.name for p in (tmp_path / "run").glob("model*")] == []


def test_resume_of_a_finished_run_leaves_it(finished, recipe):
    before = (finished / "metrics.json").stat().st_mtime_ns
    metrics = zoo.train(recipe, finished, seed=5, resume=True)
    assert metrics == json.loads((finished / "metrics.json").read_text())
    assert (finished / "metrics.json").stat().st_mtime_ns == before


def test_resume_refuses_another_recipe(finished, recipe):
    with pytest.raises(ValueError, match="another recipe"):
        zoo.train(
            zoo.change_recipe(recipe, epochs=9), finished, seed=5, resume=True
        )
    with pytest.raises(ValueError, match="another seed"):
        zoo.train(recipe, finished, seed=6, resume=True)


def test_another_run_is_refused(finished, recipe):
    with pytest.raises(FileExistsError, match="--overwrite"):
        zoo.train(recipe, finished)
    with pytest.raises(ValueError, match="contradict"):
        zoo.train(recipe, finished, overwrite=True, resume=True)


def test_foreign_files_are_refused_even_with_overwrite(quick, tmp_path):
    (tmp_path / "thesis.txt").write_text("years of work")
    with pytest.raises(FileExistsError, match="not of a run"):
        zoo.train(quick, tmp_path, overwrite=True)


def test_damaged_backup_is_named(quick, tmp_path):
    with pytest.raises(KeyboardInterrupt):
        zoo.train(quick, tmp_path / "run", callbacks=[StopAt(1)])
    (tmp_path / "run" / "backup.npz").write_bytes(b"nothing")
    with pytest.raises(ValueError, match=r"backup\.npz' is damaged"):
        zoo.train(quick, tmp_path / "run", resume=True)


def test_patience_ends_a_run(quick, tmp_path):
    values = zoo.change_recipe(quick, epochs=20).model_dump()
    values["fit"]["patience"] = 1
    # Nothing gets better at a learning rate of zero.
    values["optimizer"] = {"name": "sgd", "learning_rate": 0.0}
    metrics = zoo.train(zoo.Recipe.model_validate(values), tmp_path / "run")
    assert (metrics["epochs"], metrics["best_epoch"]) == (2, 1)


@pytest.mark.slow
def test_reproduce(quick, tmp_path):
    quick = zoo.change_recipe(quick, epochs=1).model_copy(
        update={"seeds": (0, 1)}
    )
    output = tmp_path / "runs"
    metrics = zoo.reproduce(quick, output)
    values = [
        json.loads((output / f"seed-{seed}" / "metrics.json").read_text())[
            "test"
        ]["classification"]["loss"]
        for seed in (0, 1)
    ]
    spread = metrics["test"]["classification"]["loss"]
    assert spread["values"] == values
    assert spread["mean"] == pytest.approx(np.mean(values))
    assert spread["std"] == pytest.approx(np.std(values, ddof=1))
    (output / "notes.txt").write_text("mine")
    from mtl_keras.zoo.run_folder import prepare_folder

    prepare_folder(output, overwrite=True)
    assert [path.name for path in output.iterdir()] == ["notes.txt"]
