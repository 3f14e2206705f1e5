"""Predictions as a csv file."""

from __future__ import annotations

import csv
import os
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from mtl_keras.evaluation.task_predictions import TaskPrediction


def write_predictions(
    predictions: Sequence[TaskPrediction], path: str | os.PathLike
) -> None:
    """Writes a csv file with a row for each sample.

    The columns are `<task>_predicted`, `<task>_confidence` and `<task>_true`,
    with `_0`, `_1` and so on where a task has several values per sample.

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
    for part, values in parts.items():
        if values is None:
            continue
        flat = values.reshape(len(values), -1)
        for unit, column in enumerate(flat.T):
            suffix = f"_{unit}" if len(flat.T) > 1 else ""
            name = f"{prediction.task.name}_{part}{suffix}"
            is_float = np.issubdtype(column.dtype, np.floating)
            # float32 holds six digits exactly.
            texts = [f"{v:.6g}" for v in column] if is_float else column
            yield name, list(texts)
