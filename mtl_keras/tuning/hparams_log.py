"""Logs trials for the HParams page of TensorBoard."""

from __future__ import annotations

import contextlib
import math
import os
import shutil
from pathlib import Path

import tensorflow as tf

from mtl_keras.tuning.trial_record import TrialRecord

FOLDER = "tensorboard"


def log_hparams(folder: Path, record: TrialRecord) -> Path:
    """Writes a trial for TensorBoard, unless it already exists.

    `tensorboard --logdir <folder>/tensorboard` shows a table of all trials
    with their values, objectives and metrics.

    Args:
        folder: Folder of the search.
        record: The trial.

    Returns:
        Folder of the trial's event file.
    """
    path = folder / FOLDER / f"{record.number:04d}"
    if path.is_dir():
        return path
    partial = path.with_name(f".{path.name}.partial")
    shutil.rmtree(partial, ignore_errors=True)  # from a killed process
    # The name scope of a caller would become part of the metric names.
    with tf.init_scope():
        writer = tf.summary.create_file_writer(str(partial))
        with (
            contextlib.closing(writer),
            writer.as_default(step=round(record.epochs)),
        ):
            _write(record)
    os.replace(partial, path)
    return path


def remove_hparams(folder: Path, number: int | None = None) -> None:
    """Removes the log of a trial, or of all trials.

    Args:
        folder: Folder of the search.
        number: Number of the trial. Defaults to all trials.
    """
    path = folder / FOLDER
    if number is not None:
        path /= f"{number:04d}"
    shutil.rmtree(path, ignore_errors=True)


def _write(record: TrialRecord) -> None:
    from tensorboard.plugins.hparams import api, api_pb2, summary

    values = {name: _value(label) for name, label in record.labels.items()}
    # TensorBoard uses this as the name of the run, or else a hash.
    api.hparams(values, trial_id=f"{record.number:04d}")
    for name, value in {**record.metrics, **record.objectives}.items():
        tf.summary.scalar(name, value)
    status = (
        api_pb2.STATUS_SUCCESS if record.completed else api_pb2.STATUS_FAILURE
    )
    end = summary.session_end_pb(status)
    tf.summary.experimental.write_raw_pb(end.SerializeToString())
    if record.reason:
        tf.summary.text("reason", record.reason)


def _value(label) -> bool | int | float | str:
    if isinstance(label, float) and not math.isfinite(label):
        return str(label)
    return label if isinstance(label, bool | int | float | str) else str(label)
