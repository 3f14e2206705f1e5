"""Runs: their files, reproducibility and resuming."""

import csv
import json
import shutil

import keras
import numpy as np
import pytest
from factory_harness import mostly_slow

import mtl_keras
from mtl_keras import zoo
from mtl_keras.training import BackupError
from mtl_keras.zoo.run_folder import prepare_folder


class StopAt(keras.callbacks.Callback):
    """Stops a run like Ctrl-C within an epoch."""

    def __init__(self, epoch):
        super().__init__()
        self.epoch = epoch
        self.now = None

    def on_epoch_begin(self, epoch, logs=None):
        """Stores the epoch."""
        self.now = epoch

    def on_train_batch_end(self, batch, logs=None):
        """Interrupts after the second step of the epoch."""
        if self.now == self.epoch and batch == 1:
            raise KeyboardInterrupt


def weights(folder):
    """Reads the weights of a run."""
    return mtl_keras.load_model(folder / "model.keras").get_weights()


def history(folder):
    """Reads the history of a run."""
    return (folder / "history.csv").read_text()


class StopWith(keras.callbacks.Callback):
    """Stops a run like Ctrl-C at the start or end of training."""

    def __init__(self, moment):
        super().__init__()
        setattr(self, f"on_train_{moment}", self.stop)

    def stop(self, logs=None):
        """Interrupts."""
        raise KeyboardInterrupt


# A network on images is trained by the slow tests.
@pytest.fixture(
    scope="module", params=mostly_slow(["quick", "recipe"], ["quick"])
)
def of_run(request):
    """Returns the recipe of the runs."""
    return request.getfixturevalue(request.param)


@pytest.fixture(scope="module")
def finished(of_run, tmp_path_factory):
    """Returns the folder of a complete run."""
    folder = tmp_path_factory.mktemp("run") / "finished"
    zoo.train(of_run, folder, seed=5)
    return folder


@pytest.fixture(scope="module")
def interrupted(of_run, tmp_path_factory):
    """Returns the folder of a run that was stopped in its third epoch."""
    folder = tmp_path_factory.mktemp("run") / "stopped"
    with pytest.raises(KeyboardInterrupt):
        zoo.train(of_run, folder, seed=5, callbacks=[StopAt(2)])
    return folder


@pytest.fixture
def stopped(interrupted, tmp_path):
    """Returns a copy of the stopped run, to resume it."""
    return shutil.copytree(interrupted, tmp_path / "stopped")


def test_writes(finished, of_run):
    names = {path.name for path in finished.iterdir()}
    assert names == {
        "data.json",
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
    tested = {"classification": ["accuracy", "loss"]}
    if of_run.factory.name == "build_cnn_cls_seg":
        tested["segmentation"] = ["iou", "loss"]
    found = {task: list(values) for task, values in metrics["test"].items()}
    assert found == tested
    assert metrics["seed"] == 5
    assert metrics["parameters"] > 0 and metrics["seconds"] > 0
    assert set(metrics["machine"]) == {"processor", "cores", "gpus"}
    rows = list(csv.DictReader(history(finished).splitlines()))
    assert [row["epoch"] for row in rows] == ["1", "2", "3"]
    losses = [float(row["val_loss"]) for row in rows]
    assert metrics["best_epoch"] == 1 + int(np.argmin(losses))


def test_model_is_the_best_epoch(finished, of_run):
    metrics = json.loads((finished / "metrics.json").read_text())
    model = mtl_keras.load_model(finished / "model.keras")
    model.run_eagerly = True  # one batch: a graph would take longer to trace
    x, y = zoo.load_data(of_run).test
    again = mtl_keras.evaluation.evaluate_by_task(model, x, y)
    for task, values in metrics["test"].items():
        assert again[task] == pytest.approx(values, rel=1e-4)


def test_seed_repeats_and_resume_equals_uninterrupted(
    finished, stopped, of_run
):
    assert (stopped / "model.keras").is_file()
    assert len(history(stopped).splitlines()) == 3
    assert not (stopped / "metrics.json").exists()
    # What comes after the training takes longer, and is the same for all runs.
    with pytest.raises(KeyboardInterrupt):
        zoo.train(
            of_run, stopped, seed=5, resume=True, callbacks=[StopWith("end")]
        )
    assert history(stopped) == history(finished)
    for here, there in zip(weights(stopped), weights(finished), strict=True):
        np.testing.assert_array_equal(here, there)


def test_interrupted_before_the_first_epoch(quick, tmp_path):
    with pytest.raises(KeyboardInterrupt):
        zoo.train(quick, tmp_path / "run", callbacks=[StopWith("begin")])
    assert [p.name for p in (tmp_path / "run").glob("model*")] == []


def test_resume_of_a_finished_run_leaves_it(finished, of_run):
    before = (finished / "metrics.json").stat().st_mtime_ns
    metrics = zoo.train(of_run, finished, seed=5, resume=True)
    assert metrics == json.loads((finished / "metrics.json").read_text())
    assert (finished / "metrics.json").stat().st_mtime_ns == before


def test_resume_refuses_another_recipe(finished, of_run):
    with pytest.raises(ValueError, match="another recipe"):
        zoo.train(
            zoo.change_recipe(of_run, epochs=9), finished, seed=5, resume=True
        )
    with pytest.raises(ValueError, match="another seed"):
        zoo.train(of_run, finished, seed=6, resume=True)


def test_another_run_is_refused(finished, of_run):
    with pytest.raises(FileExistsError, match="--overwrite"):
        zoo.train(of_run, finished)
    with pytest.raises(ValueError, match="contradict"):
        zoo.train(of_run, finished, overwrite=True, resume=True)


def test_foreign_files_are_refused_even_with_overwrite(quick, tmp_path):
    (tmp_path / "thesis.txt").write_text("years of work")
    with pytest.raises(FileExistsError, match="not from a run"):
        zoo.train(quick, tmp_path, overwrite=True)


def test_overwriting_keeps_other_files(finished, tmp_path):
    folder = shutil.copytree(finished, tmp_path / "run")
    (folder / "notes.txt").write_text("mine")
    prepare_folder(folder, overwrite=True)
    assert [path.name for path in folder.iterdir()] == ["notes.txt"]


def test_damaged_backup_is_named(of_run, stopped):
    (stopped / "backup.npz").write_bytes(b"nothing")
    with pytest.raises(BackupError, match=r"backup\.npz' cannot be read"):
        zoo.train(of_run, stopped, seed=5, resume=True)


@pytest.fixture
def patient(quick):
    """Returns a recipe of 20 epochs, the second without improvement."""
    values = zoo.change_recipe(quick, epochs=20).model_dump()
    values["fit"]["patience"] = 1
    # Nothing gets better at a learning rate of zero.
    values["optimizer"] = {"name": "sgd", "learning_rate": 0.0}
    return zoo.Recipe.model_validate(values)


def test_patience_ends_the_training(patient, tmp_path):
    # What comes after it takes longer.
    with pytest.raises(KeyboardInterrupt):
        zoo.train(patient, tmp_path / "run", callbacks=[StopWith("end")])
    assert len(history(tmp_path / "run").splitlines()) == 1 + 2


def test_patience_continues_after_resuming(patient, tmp_path):
    for stop, how in (
        (StopAt(1), {}),
        (StopWith("end"), {"resume": True}),
    ):
        with pytest.raises(KeyboardInterrupt):
            zoo.train(patient, tmp_path / "run", callbacks=[stop], **how)
    assert len(history(tmp_path / "run").splitlines()) == 1 + 2


@pytest.fixture
def worsening(quick):
    """Returns a recipe whose first epoch is the best one."""
    values = quick.model_dump()
    # A learning rate below zero climbs the loss.
    values["optimizer"] = {"name": "sgd", "learning_rate": -0.01}
    return zoo.Recipe.model_validate(values)


class CountEpochs(keras.callbacks.Callback):
    """Counts the trained epochs."""

    count = 0

    def on_epoch_begin(self, epoch, logs=None):
        """Counts."""
        self.count += 1


def test_resuming_after_the_last_epoch_does_not_train(worsening, tmp_path):
    whole, stopped = tmp_path / "whole", tmp_path / "stopped"
    expected = zoo.train(worsening, whole)
    assert expected["best_epoch"] == 1
    with pytest.raises(KeyboardInterrupt):
        zoo.train(worsening, stopped, callbacks=[StopWith("end")])
    (stopped / "model.keras").unlink()  # a kill would have left none
    trained = CountEpochs()
    found = zoo.train(worsening, stopped, resume=True, callbacks=[trained])
    assert trained.count == 0
    assert found.pop("seconds") > 0 and expected.pop("seconds") > 0
    assert found == expected
    for here, there in zip(weights(stopped), weights(whole), strict=True):
        np.testing.assert_array_equal(here, there)
    names = [{p.name for p in folder.iterdir()} for folder in (stopped, whole)]
    assert names[0] == names[1]


@pytest.mark.slow
def test_patience_ends_a_run(patient, tmp_path):
    metrics = zoo.train(patient, tmp_path / "run")
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
    prepare_folder(output, overwrite=True)
    assert [path.name for path in output.iterdir()] == ["notes.txt"]
