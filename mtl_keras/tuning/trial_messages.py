"""Trials and what they have learned, as messages between hosts."""

from __future__ import annotations

import io
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from mtl_keras.tuning.trial_task import TrialTask


def task_message(task: TrialTask) -> dict[str, Any]:
    """Describes a trial by what JSON takes.

    Args:
        task: The trial.
    """
    return {
        "trial_id": task.trial_id,
        "seed_number": task.seed_number,
        "epochs": task.epochs,
        "labels": dict(task.labels),
    }


def read_task(
    message: Mapping[str, Any], values_from_labels: Callable[[Mapping], dict]
) -> TrialTask:
    """Makes a trial of its description.

    Args:
        message: What `task_message` made.
        values_from_labels: Returns the values that labels stand for.
    """
    return TrialTask(**message, values=values_from_labels(message["labels"]))


def pack_weights(weights: Sequence[np.ndarray] | None) -> bytes:
    """Makes bytes of weights; none of `None`.

    Args:
        weights: What `keras.Model.get_weights` returns.
    """
    if weights is None:
        return b""
    file = io.BytesIO()
    np.savez(file, *weights)
    return file.getvalue()


def unpack_weights(content: bytes) -> list[np.ndarray] | None:
    """Makes weights of bytes.

    Args:
        content: What `pack_weights` made.
    """
    if not content:
        return None
    # Numbers only: numpy unpickles nothing unless it is told to.
    with np.load(io.BytesIO(content), allow_pickle=False) as arrays:
        return [arrays[f"arr_{at}"] for at in range(len(arrays.files))]
