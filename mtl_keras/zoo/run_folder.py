"""The folder of a run: what belongs in it, and when it may be written."""

from __future__ import annotations

import shutil
from pathlib import Path

RECIPE, METRICS = "recipe.toml", "metrics.json"
HISTORY, BACKUP = "history.csv", "backup.npz"
# All that a run writes, and so all that overwriting removes.
_WRITTEN = (
    RECIPE,
    METRICS,
    "model.keras",
    "model.partial.keras",
    "saved_model",
    "encoding.json",
    "feature_space.keras",
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
    """Makes the folder of a run, or empties that of an older one.

    Args:
        folder: Path of the folder.
        overwrite: Whether to remove what an older run wrote there, and
            nothing else. Defaults to `False`.
        resume: Whether to leave it, to go on. Defaults to `False`.

    Raises:
        FileExistsError: If there is another run and neither is asked for, or
            if files lie there that no run wrote.
        NotADirectoryError: If the path is a file.
        ValueError: If both are asked for.
    """
    if overwrite and resume:
        raise ValueError(
            "overwrite and resume contradict: one begins anew, one goes on. "
            "Leave one of the two out."
        )
    if folder.exists() and not folder.is_dir():
        raise NotADirectoryError(f"The output '{folder}' is a file.")
    is_run = (folder / RECIPE).is_file()
    if folder.is_dir() and any(folder.iterdir()) and not is_run:
        raise FileExistsError(
            f"The folder '{folder}' holds files that are not of a run; choose "
            "another output."
        )
    if is_run and not (overwrite or resume):
        raise FileExistsError(
            f"The folder '{folder}' holds another run. Choose another output, "
            "or overwrite it (--overwrite), or go on with it (--resume)."
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
