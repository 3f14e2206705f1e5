"""Predictions as a csv file."""

from __future__ import annotations

import csv
import os
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from mtl_keras.evaluation.task_predictions import TaskPrediction
from mtl_keras.tasks import Task


def write_predictions(
    predictions: Sequence[TaskPrediction], path: str | os.PathLike
) -> None:
    """Writes a csv file with a row for each sample.

    The columns are `<task>_predicted`, `<task>_confidence` and `<task>_true`,
    with `_0`, `_1` and so on where a task has several values per sample, or
    the names of several labels. Classes that have names are written by these,
    and missing labels as empty cells.

    Args:
        predictions: The result of `read_predictions`. Tasks with a label per
            pixel are left out.
        path: Path of the file.

    Example:

    ```python
    predictions = mtl_keras.evaluation.read_predictions(model, x, y)
    mtl_keras.evaluation.write_predictions(predictions, "predictions.csv")
    ```
    """
    columns = {}
    for prediction in predictions:
        if prediction.task.labels_per != "pixel":
            columns.update(_columns(prediction))
    with Path(path).open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(["sample", *columns])
        for sample, row in enumerate(zip(*columns.values(), strict=True)):
            writer.writerow([sample, *row])


def _columns(prediction: TaskPrediction) -> Iterator[tuple[str, list]]:
    parts = {
        "predicted": prediction.predicted,
        "confidence": prediction.confidence,
        "true": prediction.true,
    }
    task = prediction.task
    for part, values in parts.items():
        if values is None:
            continue
        flat = values.reshape(len(values), -1)
        for unit, column in enumerate(flat.T):
            suffix = f"_{_unit_name(task, unit)}" if len(flat.T) > 1 else ""
            name = f"{task.display_name}_{part}{suffix}"
            texts = _numbers if part == "confidence" else _labels
            yield name, texts(task, column)


def _unit_name(task: Task, unit: int) -> str:
    names = task.class_names if task.columns else None
    return str(unit) if names is None else names[unit]


def _labels(task: Task, column: np.ndarray) -> list:
    if task.target_kind == "number":
        return _numbers(task, column)
    # Of several labels, each is a no or yes.
    names = None if task.columns else task.class_names
    return [
        "" if label < 0 else label if names is None else names[label]
        for label in column.astype(int).tolist()
    ]


def _numbers(task: Task, column: np.ndarray) -> list[str]:
    # float32 holds six digits exactly.
    return ["" if np.isnan(value) else f"{value:.6g}" for value in column]
