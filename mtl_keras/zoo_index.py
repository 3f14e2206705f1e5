"""Lists the entries of the zoo and their results, without TensorFlow."""

from __future__ import annotations

import csv
import dataclasses
import json
import tomllib
from pathlib import Path

_PACKAGE = Path(__file__).resolve().parent
# In an installed wheel the entries are package data (see build_hook.py); in a
# clone they are beside the package.
_INSTALLED, _CLONED = _PACKAGE / "zoo_entries", _PACKAGE.parent / "models"

RESULT_COLUMNS = (
    "entry",
    "task",
    "metric",
    "mean",
    "std",
    "seeds",
    "parameters",
)


@dataclasses.dataclass(frozen=True)
class Entry:
    """A model of the zoo: a folder with a recipe and, after training, results.

    Args:
        name: Name of the folder.
        folder: Path of the folder.
    """

    name: str
    folder: Path

    @property
    def recipe(self) -> Path:
        """Path of the recipe."""
        return self.folder / "recipe.toml"

    @property
    def metrics(self) -> Path:
        """Path of the results. The file may not exist yet."""
        return self.folder / "metrics.json"

    @property
    def description(self) -> str:
        """The description in the recipe."""
        values = tomllib.loads(self.recipe.read_text(encoding="utf-8"))
        return values.get("description", "")


def entries() -> list[Entry]:
    """Lists the entries of the zoo by name.

    Returns:
        An `Entry` for each folder with a recipe. The folders are in `models/`
        of a clone, or in the data of the installed package.

    Example:

    ```python
    [entry.name for entry in mtl_keras.zoo.entries()]
    # ['cnn_cls_seg_digit_scenes', 'mlp_energy']
    ```
    """
    return [
        Entry(path.parent.name, path.parent)
        for path in sorted(_zoo_folder().glob("*/recipe.toml"))
    ]


def results() -> list[dict[str, object]]:
    """Lists the test metrics of all entries that have results.

    Returns:
        A dict with the keys `RESULT_COLUMNS` for each metric of each task of
        each entry. Means and standard deviations are over the seeds.

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
                rows.append(dict(zip(RESULT_COLUMNS, values, strict=True)))
    return rows


def write_results(path: Path | None = None) -> Path:
    """Writes `results()` as csv.

    Args:
        path: Path of the file. Defaults to `results.csv` beside the entries.

    Returns:
        The path.
    """
    path = _zoo_folder() / "results.csv" if path is None else Path(path)
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, RESULT_COLUMNS, lineterminator="\n")
        writer.writeheader()
        writer.writerows(results())
    return path


def _zoo_folder() -> Path:
    return _INSTALLED if _INSTALLED.is_dir() else _CLONED
