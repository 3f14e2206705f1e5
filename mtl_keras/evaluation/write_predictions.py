"""Writes predictions as csv."""

from __future__ import annotations

import csv
import os
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from mtl_keras.evaluation.readings import Reading


def write_predictions(
    readings: Sequence[Reading], path: str | os.PathLike
) -> None:
    """Writes a row for each sample: prediction, confidence and truth.

    Args:
        readings: What `read_predictions` returned. Maps are left out.
        path: Path of the file.

    Example:

    ```python
    readings = mtl_keras.evaluation.read_predictions(model, x, y)
    mtl_keras.evaluation.write_predictions(readings, "predictions.csv")
    ```
    """
    columns = {}
    for reading in readings:
        if reading.task.feature_rank != 4:
            columns.update(_columns(reading))
    with Path(path).open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(["sample", *columns])
        for sample, row in enumerate(zip(*columns.values(), strict=True)):
            writer.writerow([sample, *row])


def _columns(reading: Reading) -> Iterator[tuple[str, list]]:
    parts = {
        "predicted": reading.predicted,
        "confidence": reading.confidence,
        "true": reading.true,
    }
    for part, values in parts.items():
        if values is None:
            continue
        flat = values.reshape(len(values), -1)
        for unit, column in enumerate(flat.T):
            suffix = f"_{unit}" if len(flat.T) > 1 else ""
            name = f"{reading.task.name}_{part}{suffix}"
            is_float = np.issubdtype(column.dtype, np.floating)
            # Six digits are what float32 holds for certain.
            texts = [f"{v:.6g}" for v in column] if is_float else column
            yield name, list(texts)
