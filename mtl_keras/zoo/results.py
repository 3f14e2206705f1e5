"""Collects the results of all zoo entries in one table."""

from __future__ import annotations

import csv
import json
from pathlib import Path

from mtl_keras.zoo.entries import entries, zoo_folder

COLUMNS = ("entry", "task", "metric", "mean", "std", "seeds", "parameters")


def results() -> list[dict[str, object]]:
    """Lists the test metrics of all entries that were run.

    Returns:
        A dict with the keys `COLUMNS` for each metric of each task of each
        entry; means and standard deviations are over the seeds.

    Example:

    ```python
    for row in mtl_keras.zoo.results():
        print(row["entry"], row["task"], row["metric"], row["mean"])
    ```
    """
    rows = []
    for entry in entries():
        if not entry.metrics.is_file():
            continue
        metrics = json.loads(entry.metrics.read_text(encoding="utf-8"))
        for task, by_metric in metrics["test"].items():
            for metric, spread in by_metric.items():
                numbers = (
                    round(spread["mean"], 5),
                    round(spread["std"], 5),
                    len(metrics["seeds"]),
                    metrics["parameters"],
                )
                values = (entry.name, task, metric, *numbers)
                rows.append(dict(zip(COLUMNS, values, strict=True)))
    return rows


def write_results(path: Path | None = None) -> Path:
    """Writes `results()` as csv.

    Args:
        path: Path of the file. Defaults to `results.csv` beside the entries.

    Returns:
        The path.
    """
    path = zoo_folder() / "results.csv" if path is None else Path(path)
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, COLUMNS, lineterminator="\n")
        writer.writeheader()
        writer.writerows(results())
    return path
