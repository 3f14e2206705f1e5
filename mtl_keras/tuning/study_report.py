"""Writes the report of a study."""

from __future__ import annotations

import csv
import io
from pathlib import Path

from mtl_keras.training.backups.atomic_file import write_atomically
from mtl_keras.tuning.importance import MIN_TRIALS


def save_report(study, folder: Path) -> list[Path]:
    """Writes plots of a study and the importance of hyperparameters.

    Args:
        study: A `Study` with at least one completed trial.
        folder: Folder to write into, which is created if it is missing.

    Returns:
        Paths of the files.
    """
    folder.mkdir(parents=True, exist_ok=True)
    plots = {
        "history.png": study.plot_history,
        "parallel.png": study.plot_parallel,
    }
    if len(study.objectives) > 1:
        plots["pareto.png"] = study.plot_pareto
    for name, plot in plots.items():
        plot().savefig(folder / name)
    names = list(plots)
    if len(study.completed) >= MIN_TRIALS:
        content = _importance_table(study).encode()
        names.append("importance.csv")
        write_atomically(folder / names[-1], lambda file: file.write(content))
    return [folder / name for name in names]


def _importance_table(study) -> str:
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(["objective", "hyperparameter", "share", "explained"])
    for objective, found in study.importance().items():
        for name, share in found.shares.items():
            row = [objective, name, f"{share:.4f}", f"{found.explained:.4f}"]
            writer.writerow(row)
    return text.getvalue()
