"""Backups that cannot be written, are damaged, or are of something else."""

import errno
import resource

import keras
import pytest
from backup_training import (
    BATCH,
    Kill,
    Killed,
    array_data,
    arrays,
    make_model,
    run,
)

import mtl_keras
from mtl_keras.training import BackupError
from mtl_keras.training.backups.atomic_file import partial_path


@pytest.fixture(scope="module")
def content(tmp_path_factory):
    """Returns the backup of a training that was stopped after an epoch."""
    path = tmp_path_factory.mktemp("backup") / "backup.npz"
    with pytest.raises(Killed):
        backup = mtl_keras.BackupAndRestore(path)
        run(make_model(), array_data(), [backup, Kill(1, 1)])
    return path.read_bytes()


@pytest.fixture
def stopped(path, content):
    """Puts that backup where a training looks for it; returns its content."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    return content


def assert_usable(path):
    model, backup = make_model(), mtl_keras.BackupAndRestore(path)
    run(model, array_data(), [backup])
    assert backup.restored_from == (1, 0)
    assert model.optimizer.iterations == 18


@pytest.mark.slow
def test_a_full_disk_leaves_the_backup_before(path, stopped):
    backup = mtl_keras.BackupAndRestore(path, every_steps=2)
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)

    class FillTheDisk(keras.callbacks.Callback):
        def on_train_begin(self, logs=None):
            size = (len(stopped) // 2, limits[1])
            resource.setrlimit(resource.RLIMIT_FSIZE, size)

    try:
        with pytest.raises(BackupError, match=r"too large.*MiB.*intact"):
            run(make_model(), array_data(), [FillTheDisk(), backup])
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert path.read_bytes() == stopped
    assert [p.name for p in path.parent.iterdir()] == [path.name]
    assert_usable(path)


def test_a_write_that_fails_says_so(path, monkeypatch):
    def full(number):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    backup = mtl_keras.BackupAndRestore(path)
    with pytest.raises(
        BackupError, match=r"No space.*Free some space.*no previous"
    ):
        run(make_model(), array_data(), [backup])
    assert not list(path.parent.iterdir())


@pytest.mark.parametrize("kind", ["file in the way", "folder in the way"])
def test_an_unwritable_folder_is_told_before_training(tmp_path, kind):
    if kind == "file in the way":
        (tmp_path / "file").write_text("")
        path = tmp_path / "file" / "backup.npz"
    else:
        path = tmp_path
    model = make_model()
    with pytest.raises(BackupError, match=r"No backup can be written to"):
        run(model, array_data(), [mtl_keras.BackupAndRestore(path)])
    assert model.optimizer.iterations == 0


@pytest.mark.slow
def test_what_a_kill_left_of_a_write_is_removed(path, stopped):
    partial_path(path).write_bytes(stopped[:100])
    assert_usable(path)
    assert not partial_path(path).exists()


@pytest.mark.parametrize("damaged", [b"", b"no backup", None])
def test_a_damaged_backup(path, stopped, damaged):
    if damaged is None:  # one byte of the weights is another
        middle = len(stopped) // 2
        damaged = bytearray(stopped)
        damaged[middle] ^= 255
    path.write_bytes(damaged)
    with pytest.raises(BackupError, match=r"cannot be read.*Remove it"):
        run(make_model(), array_data(), [mtl_keras.BackupAndRestore(path)])
    assert path.read_bytes() == damaged


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        ({"optimizer": "sgd"}, "optimizer: Adam in the backup, SGD here"),
        ({"weighting": "dwa"}, "weighting: None in the backup, DWA here"),
    ],
)
def test_another_model_is_refused(path, stopped, arguments, text):
    with pytest.raises(ValueError, match=text):
        run(
            make_model(**arguments),
            array_data(),
            [mtl_keras.BackupAndRestore(path)],
        )


def test_other_shapes_are_refused(path, stopped):
    model = mtl_keras.build_mlp((5,), make_model().tasks, hidden_units=(7,))
    with pytest.raises(ValueError, match=r"shape \(5, 6\).*shape \(5, 7\)"):
        run(model, array_data(), [mtl_keras.BackupAndRestore(path)])
    assert path.read_bytes() == stopped


def test_other_data_are_refused(path, stopped):
    x, y = arrays()
    y = {name: values[:9] for name, values in y.items()}
    data = {"x": x[:9], "y": y, "batch_size": BATCH}
    with pytest.raises(ValueError, match=r"6 batches in an epoch.*has 3"):
        run(make_model(), data, [mtl_keras.BackupAndRestore(path)])
    model = make_model(eager=False, steps_per_execution=2)
    with pytest.raises(ValueError, match=r"1 steps_per_execution.*has 2"):
        run(model, array_data(), [mtl_keras.BackupAndRestore(path)])
