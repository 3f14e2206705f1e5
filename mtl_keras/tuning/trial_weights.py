"""Stores the weights of the best trials."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from pathlib import Path

import numpy as np

from mtl_keras.training.backups.atomic_file import write_atomically

FOLDER = "weights"


def save_trial_weights(
    folder: Path, number: int, weights: Sequence[np.ndarray]
) -> None:
    """Writes the weights of a trial.

    Args:
        folder: Folder of the study.
        number: Number of the trial.
        weights: The result of `keras.Model.get_weights`.
    """
    (folder / FOLDER).mkdir(exist_ok=True)
    write_atomically(
        _path(folder, number), lambda file: np.savez(file, *weights)
    )


def load_trial_weights(folder: Path, number: int) -> list[np.ndarray]:
    """Reads the weights of a trial.

    Args:
        folder: Folder of the study.
        number: Number of the trial.

    Raises:
        FileNotFoundError: If the weights were not kept.
    """
    path = _path(folder, number)
    if not path.is_file():
        raise FileNotFoundError(
            f"There is no file '{path}': only the weights of trials on the "
            "Pareto front are kept, as long as no other search clears the "
            "folder. Train the model of the trial again."
        )
    with np.load(path) as arrays:
        return [arrays[f"arr_{at}"] for at in range(len(arrays.files))]


def drop_trial_weights(folder: Path, keep: Collection[int]) -> None:
    """Removes the weights of all but some trials.

    Args:
        folder: Folder of the study.
        keep: Numbers of the trials to keep.
    """
    kept = {_path(folder, number).name for number in keep}
    for path in (folder / FOLDER).glob("*.npz"):
        if path.name not in kept:
            path.unlink(missing_ok=True)


def _path(folder: Path, number: int) -> Path:
    return folder / FOLDER / f"{number:04d}.npz"
