"""Plots of predictions for inputs that are not images: a panel per task."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from mtl_keras.evaluation.task_predictions import TaskPrediction

PANEL = 3.6
COLUMNS = 4
# More cells than these are too small for a number.
MAX_NUMBERED = 12


def plot_tables(predictions: Sequence[TaskPrediction]):
    """Plots a panel for each task, over all samples.

    Args:
        predictions: The predictions of each task.

    Returns:
        A `matplotlib.figure.Figure`.
    """
    from mtl_keras.evaluation.figure import NotebookFigure

    columns = min(COLUMNS, len(predictions))
    rows = math.ceil(len(predictions) / columns)
    figure = NotebookFigure(PANEL * columns, PANEL * rows)
    grid = figure.subplots(rows, columns, squeeze=False).flat
    for axes in list(grid)[len(predictions) :]:
        axes.set_axis_off()
    for axes, prediction in zip(figure.axes, predictions, strict=False):
        axes.set_title(prediction.task.display_name, fontsize=10)
        axes.tick_params(labelsize=8)
        _draw(axes, prediction)
    return figure


def _draw(axes, prediction: TaskPrediction) -> None:
    task = prediction.task
    if prediction.true is None:
        _draw_distribution(axes, prediction)
    elif task.panel in _PANELS:
        _PANELS[task.panel](axes, prediction)
    else:
        raise ValueError(
            f"Task {task.name!r} ({type(task).__name__}): panel="
            f"{task.panel!r}; expected one of {sorted(_PANELS)}."
        )


def _draw_scatter(axes, prediction: TaskPrediction) -> None:
    predicted, true = prediction.predicted, prediction.true
    for unit in range(true.shape[-1]):
        axes.plot(
            true[:, unit],
            predicted[:, unit],
            ".",
            alpha=0.5,
            label=f"unit {unit}",
        )
    known = np.concatenate([true[np.isfinite(true)], predicted.ravel()])
    ends = [known.min(), known.max()]
    axes.plot(ends, ends, color="0.5", linewidth=1, zorder=0)
    axes.set_xlabel("true", fontsize=8)
    axes.set_ylabel("predicted", fontsize=8)
    axes.set_aspect("equal", "datalim")
    if true.shape[-1] > 1:
        axes.legend(fontsize=8, frameon=False)


def _draw_confusion(axes, prediction: TaskPrediction) -> None:
    predicted, true = prediction.predicted, prediction.true
    count = prediction.task.num_label_classes
    known = true >= 0
    counts = np.zeros((count, count), int)
    np.add.at(counts, (true[known], predicted[known]), 1)
    _draw_counts(axes, counts)
    axes.set_xlabel("predicted class", fontsize=8)
    axes.set_ylabel("true class", fontsize=8)
    if count <= MAX_NUMBERED:
        axes.set_xticks(range(count))
        axes.set_yticks(range(count))


def _draw_labels(axes, prediction: TaskPrediction) -> None:
    """Draws a row per label with its binary confusion counts."""
    predicted, true = prediction.predicted, prediction.true
    columns = {
        "true pos.": (true == 1) & (predicted == 1),
        "false neg.": (true == 1) & (predicted == 0),
        "false pos.": (true == 0) & (predicted == 1),
        "true neg.": (true == 0) & (predicted == 0),
    }
    counts = np.stack([cells.sum(axis=0) for cells in columns.values()], 1)
    _draw_counts(axes, counts)
    axes.set_xticks(range(len(columns)), columns, fontsize=7)
    axes.set_ylabel("label", fontsize=8)
    if len(counts) <= MAX_NUMBERED:
        axes.set_yticks(range(len(counts)))


def _draw_counts(axes, counts: np.ndarray) -> None:
    # Shares of a row make rare classes comparable with frequent ones.
    shares = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    axes.imshow(shares, cmap="Blues", vmin=0, vmax=1, aspect="auto")
    if max(counts.shape) > MAX_NUMBERED:
        return
    for (row, column), number in np.ndenumerate(counts):
        colour = "white" if shares[row, column] > 0.5 else "black"
        axes.text(
            column,
            row,
            str(number),
            ha="center",
            va="center",
            fontsize=7,
            color=colour,
        )


def _draw_distribution(axes, prediction: TaskPrediction) -> None:
    task, predicted = prediction.task, prediction.predicted
    axes.set_ylabel("samples", fontsize=8)
    if task.panel == "scatter":
        axes.hist(predicted, bins=20)
        axes.set_xlabel("predicted", fontsize=8)
        return
    if task.panel == "labels":
        counts = predicted.sum(axis=0)
        axes.set_xlabel("predicted label", fontsize=8)
    else:
        counts = np.bincount(
            predicted.ravel(), minlength=task.num_label_classes
        )
        axes.set_xlabel("predicted class", fontsize=8)
    axes.bar(range(len(counts)), counts)
    if len(counts) <= MAX_NUMBERED:
        axes.set_xticks(range(len(counts)))


_PANELS = {
    "confusion": _draw_confusion,
    "labels": _draw_labels,
    "scatter": _draw_scatter,
}
