"""Prepares the folder of a run."""

from __future__ import annotations

import shutil
from pathlib import Path

RECIPE, METRICS = "recipe.toml", "metrics.json"
HISTORY, BACKUP = "history.csv", "backup.npz"
# All files of a run, which overwriting removes.
_WRITTEN = (
    RECIPE,
    METRICS,
    "model.keras",
    "model.partial.keras",
    "saved_model",
    "data.json",
    "data.json.partial",
    "encoding.json",
    "encoding.json.partial",
    "feature_space.keras",
    "feature_space.partial.keras",
    HISTORY,
    "history.png",
    "predictions.png",
    "tensorboard",
    BACKUP,
    f"{BACKUP}.partial",
)


def prepare_folder(
    folder: Path, *, overwrite: bool = False, resume: bool = False
) -> None:
    """Creates the folder of a run, or removes the files of an older run.

    Args:
        folder: Path of the folder.
        overwrite: Whether to remove the files of an older run, and no others.
            Defaults to `False`.
        resume: Whether to keep the files, to resume the run. Defaults to
            `False`.

    Raises:
        FileExistsError: If the folder has another run and both arguments are
            false, or if it has other files.
        NotADirectoryError: If the path is a file.
        ValueError: If both arguments are true.
    """
    if overwrite and resume:
        raise ValueError(
            "overwrite and resume contradict each other. Leave one of the two "
            "out."
        )
    if folder.exists() and not folder.is_dir():
        raise NotADirectoryError(f"The output '{folder}' is a file.")
    is_run = (folder / RECIPE).is_file()
    if folder.is_dir() and any(folder.iterdir()) and not is_run:
        raise FileExistsError(
            f"The folder '{folder}' holds files that are not from a run; "
            "choose another output."
        )
    if is_run and not (overwrite or resume):
        raise FileExistsError(
            f"The folder '{folder}' holds another run. Choose another output, "
            "or overwrite it (--overwrite), or resume it (--resume)."
        )
    if is_run and overwrite:
        _remove_run(folder)
    folder.mkdir(parents=True, exist_ok=True)


def seed_folders(folder: Path) -> list[Path]:
    """Lists the folders of single runs in the folder of a reproduction."""
    return sorted(p for p in folder.glob("seed-*") if (p / RECIPE).is_file())


def _remove_run(folder: Path) -> None:
    for single in seed_folders(folder):
        _remove_run(single)
        if not any(single.iterdir()):
            single.rmdir()
    for name in _WRITTEN:
        path = folder / name
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        else:
            path.unlink(missing_ok=True)
