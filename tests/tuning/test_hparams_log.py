"""Trials in TensorBoard, read back by its reader."""

import pytest
import tensorflow as tf
from tensorboard.backend.event_processing.event_accumulator import (
    EventAccumulator,
)
from tensorboard.plugins.hparams import api_pb2, plugin_data_pb2
from tuning_problem import search_small

from mtl_keras.tuning.hparams_log import log_hparams
from mtl_keras.tuning.trial_record import FAILED, TrialRecord

LABELS = {"width": 8, "rate": 0.5, "weighting": "pcgrad", "none": None}


def read(path):
    """Reads values, metrics and status from the folder of a trial."""
    events = EventAccumulator(str(path))
    events.Reload()
    content = events.summary_metadata
    values, status = {}, None
    for metadata in content.values():
        if metadata.plugin_data.plugin_name != "hparams":
            continue
        data = plugin_data_pb2.HParamsPluginData.FromString(
            metadata.plugin_data.content
        )
        if data.HasField("session_start_info"):
            values = {
                name: getattr(value, value.WhichOneof("kind"))
                for name, value in data.session_start_info.hparams.items()
            }
        elif data.HasField("session_end_info"):
            status = data.session_end_info.status
    metrics = {}
    for tag in events.Tags()["tensors"]:
        if content[tag].plugin_data.plugin_name == "scalars":
            (found,) = events.Tensors(tag)
            value = tf.make_ndarray(found.tensor_proto)
            metrics[tag] = found.step, float(value)
    return values, metrics, status


def test_a_trial_is_read_as_it_was_written(tmp_path):
    record = TrialRecord(
        number=3,
        values={},
        labels=LABELS,
        objectives={"left_accuracy": 0.75},
        metrics={"left_loss": 1.25},
        epochs=4.0,
    )
    path = log_hparams(tmp_path, record)
    assert path == tmp_path / "tensorboard" / "0003"
    values, metrics, status = read(path)
    assert values == LABELS | {"none": "None"}
    assert metrics == {"left_accuracy": (4, 0.75), "left_loss": (4, 1.25)}
    assert status == api_pb2.STATUS_SUCCESS


def test_a_failed_trial_is_one(tmp_path):
    record = TrialRecord(
        number=0, values={}, labels=LABELS, status=FAILED, reason="No memory."
    )
    values, metrics, status = read(log_hparams(tmp_path, record))
    assert values["width"] == 8 and metrics == {}
    assert status == api_pb2.STATUS_FAILURE


def test_trials_are_written_once_and_partial_files_removed(tmp_path):
    record = TrialRecord(number=0, values={}, labels=LABELS)
    partial = tmp_path / "tensorboard" / ".0000.partial"
    partial.mkdir(parents=True)
    (partial / "events.out.tfevents.1").write_bytes(b"half")
    path = log_hparams(tmp_path, record)
    (file,) = path.iterdir()
    before = file.stat().st_mtime_ns
    assert log_hparams(tmp_path, record) == path
    assert file.stat().st_mtime_ns == before
    assert [each.name for each in path.parent.iterdir()] == ["0000"]


def test_a_search_writes_all_its_trials(tmp_path):
    study = search_small(tmp_path, max_trials=2)
    folder = study.folder / "tensorboard"
    assert sorted(path.name for path in folder.iterdir()) == ["0000", "0001"]
    for trial in study.trials:
        values, metrics, _ = read(folder / f"{trial.number:04d}")
        assert values == pytest.approx(trial.labels)
        assert metrics["left_accuracy"][1] == pytest.approx(
            trial.objectives["left_accuracy"]
        )
    # One that a kill prevented is written when the search goes on.
    (file,) = (folder / "0001").iterdir()
    file.unlink()
    (folder / "0001").rmdir()
    search_small(tmp_path, max_trials=2)
    assert read(folder / "0001")[0] == pytest.approx(study.trials[1].labels)
