"""Plots of losses and metrics over the epochs of a training."""

from __future__ import annotations

import csv
import os
from collections.abc import Mapping, Sequence
from pathlib import Path

import keras

PANEL_WIDTH, PANEL_HEIGHT = 3.4, 2.5
# Ratio of largest to smallest value from which on the axis is logarithmic.
MIN_LOG_RATIO = 30


def plot_history(history):
    """Plots the losses and metrics of a training, with a row for each task.

    The first row belongs to the whole model: the total loss, and the learning
    rate and loss weights if they were logged. Each panel shows training and
    validation together.

    Args:
        history: The `keras.callbacks.History` that `fit` returns, its
            `history` dict, or the path of a csv file with a column for each
            of its keys (`history.csv` of a run).

    Returns:
        A `matplotlib.figure.Figure`.

    Raises:
        FileNotFoundError: If the file does not exist.
        ImportError: If matplotlib is not installed.
        TypeError: If `history` is something else.
        ValueError: If it has no epoch.

    Example:

    ```python
    history = model.fit(x, y, epochs=3, validation_split=0.1)
    mtl_keras.evaluation.plot_history(history).savefig("history.png")
    ```
    """
    from mtl_keras.evaluation.figure import NotebookFigure

    values = _values(history)
    keys = [key for key in values if not key.startswith("val_")]
    rows = _rows(keys, _tasks(history, keys))
    columns = max(len(keys) for _, keys in rows)
    figure = NotebookFigure(PANEL_WIDTH * columns, PANEL_HEIGHT * len(rows))
    grid = figure.subplots(len(rows), columns, squeeze=False)
    for axes_row, (task, keys) in zip(grid, rows, strict=True):
        for axes, key in zip(axes_row, keys, strict=False):
            title = f"{task}: {key[len(task) + 1 :]}" if task else key
            _draw_panel(axes, title, values, key)
        for axes in axes_row[len(keys) :]:
            axes.set_axis_off()
    return figure


def _draw_panel(axes, title: str, values: Mapping, key: str) -> None:
    from matplotlib.ticker import MaxNLocator

    from mtl_keras.evaluation.figure import TRAIN, VALIDATION

    lines = [("training", values[key], TRAIN)]
    if f"val_{key}" in values:
        lines.append(("validation", values[f"val_{key}"], VALIDATION))
    for label, numbers, colour in lines:
        epochs = range(1, len(numbers) + 1)
        # A line does not show a single epoch.
        marker = "o" if len(numbers) < 12 else None
        axes.plot(
            epochs, numbers, color=colour, label=label, marker=marker, ms=3
        )
    numbers = [number for _, line, _ in lines for number in line]
    if min(numbers) > 0 and max(numbers) > MIN_LOG_RATIO * min(numbers):
        axes.set_yscale("log")
    axes.set_title("total loss" if title == "loss" else title, fontsize=10)
    axes.set_xlabel("epoch", fontsize=8)
    axes.xaxis.set_major_locator(MaxNLocator(5, integer=True, min_n_ticks=1))
    axes.tick_params(labelsize=8)
    axes.grid(alpha=0.3)
    if len(lines) > 1:
        axes.legend(fontsize=8, frameon=False)


def _tasks(history, keys: Sequence[str]) -> list[str]:
    """Returns the names of the tasks, as exactly as the history has them."""
    names = [key.removesuffix("_loss") for key in keys if key.endswith("_loss")]
    model = getattr(history, "model", None)
    known = {task.name for task in getattr(model, "tasks", ())}
    if known:
        return [name for name in names if name in known]
    return [name for name in names if not _is_loss_term(name, names, keys)]


def _is_loss_term(name: str, names: Sequence[str], keys: Sequence[str]) -> bool:
    """Returns whether a name is `<task>_<term>`, which has no metrics."""
    of_task = any(name.startswith(f"{task}_") for task in names)
    return of_task and sum(key.startswith(f"{name}_") for key in keys) == 1


def _rows(
    keys: Sequence[str], tasks: Sequence[str]
) -> list[tuple[str, list[str]]]:
    """Returns pairs of task and its keys; the first task is `""`."""
    # Longest first, so that `mask_edge_iou` is not a metric of `mask`.
    by_length = sorted(tasks, key=len, reverse=True)
    by_task = {task: [] for task in ["", *tasks]}
    for key in keys:
        owner = next((t for t in by_length if key.startswith(f"{t}_")), "")
        by_task[owner].append(key)
    for task, task_keys in by_task.items():
        loss = f"{task}_loss" if task else "loss"
        task_keys.sort(key=lambda key, loss=loss: key != loss)
    return [pair for pair in by_task.items() if pair[1]]


def _values(history) -> dict[str, list[float]]:
    if isinstance(history, str | os.PathLike):
        values = _read_csv(Path(history))
    elif isinstance(history, keras.callbacks.History):
        values = history.history
    elif isinstance(history, Mapping):
        values = dict(history)
    else:
        raise TypeError(
            f"history is a {type(history).__name__}; expected what fit "
            "returns, its history dict, or the path of a history.csv."
        )
    if not any(len(numbers) for numbers in values.values()):
        raise ValueError(
            "history has no epoch. Pass the result of model.fit after at "
            "least one epoch."
        )
    return values


def _read_csv(path: Path) -> dict[str, list[float]]:
    if not path.is_file():
        raise FileNotFoundError(f"History file {str(path)!r} does not exist.")
    with path.open(newline="") as file:
        rows = list(csv.DictReader(file))
    keys = [key for key in (rows[0] if rows else {}) if key != "epoch"]
    try:
        return {key: [float(row[key]) for row in rows] for key in keys}
    except (TypeError, ValueError) as error:
        raise ValueError(
            f"{str(path)!r} is not a history: expected a header and a number "
            f"in each cell; {error}."
        ) from error
