"""Draws the predictions for samples that are no images, a panel a task."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from mtl_keras.evaluation.readings import Reading
from mtl_keras.tasks import MultiLabelClassification

PANEL = 3.6
COLUMNS = 4
# Numbers in more cells than these could not be read.
MOST_NUMBERED = 12


def plot_tables(readings: Sequence[Reading]):
    """Draws a panel for each task, over all samples.

    Args:
        readings: What the model says of each task.

    Returns:
        A `matplotlib.figure.Figure`.
    """
    from mtl_keras.evaluation.figure import NotebookFigure

    columns = min(COLUMNS, len(readings))
    rows = math.ceil(len(readings) / columns)
    figure = NotebookFigure(PANEL * columns, PANEL * rows)
    grid = figure.subplots(rows, columns, squeeze=False).flat
    for axes in list(grid)[len(readings) :]:
        axes.set_axis_off()
    for axes, reading in zip(figure.axes, readings, strict=False):
        axes.set_title(reading.task.name, fontsize=10)
        axes.tick_params(labelsize=8)
        _draw(axes, reading)
    return figure


def _draw(axes, reading: Reading) -> None:
    if reading.true is None:
        _draw_distribution(axes, reading)
    elif reading.confidence is None:
        _draw_scatter(axes, reading.predicted, reading.true)
    elif isinstance(reading.task, MultiLabelClassification):
        _draw_labels(axes, reading.predicted, reading.true)
    else:
        count = getattr(reading.task, "num_classes", 2)
        _draw_confusion(axes, reading.predicted, reading.true, count)


def _draw_scatter(axes, predicted: np.ndarray, true: np.ndarray) -> None:
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


def _draw_confusion(axes, predicted, true, count: int) -> None:
    known = true >= 0
    counts = np.zeros((count, count), int)
    np.add.at(counts, (true[known], predicted[known]), 1)
    _draw_counts(axes, counts)
    axes.set_xlabel("predicted class", fontsize=8)
    axes.set_ylabel("true class", fontsize=8)
    if count <= MOST_NUMBERED:
        axes.set_xticks(range(count))
        axes.set_yticks(range(count))


def _draw_labels(axes, predicted: np.ndarray, true: np.ndarray) -> None:
    """A row for each label: how often it was found, missed or made up."""
    columns = {
        "found": (true == 1) & (predicted == 1),
        "missed": (true == 1) & (predicted == 0),
        "made up": (true == 0) & (predicted == 1),
        "left out": (true == 0) & (predicted == 0),
    }
    counts = np.stack([cells.sum(axis=0) for cells in columns.values()], 1)
    _draw_counts(axes, counts)
    axes.set_xticks(range(len(columns)), columns)
    axes.set_ylabel("label", fontsize=8)
    if len(counts) <= MOST_NUMBERED:
        axes.set_yticks(range(len(counts)))


def _draw_counts(axes, counts: np.ndarray) -> None:
    # Shares of a row, so that rare classes can be compared with frequent ones.
    shares = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    axes.imshow(shares, cmap="Blues", vmin=0, vmax=1, aspect="auto")
    if max(counts.shape) > MOST_NUMBERED:
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


def _draw_distribution(axes, reading: Reading) -> None:
    axes.set_ylabel("samples", fontsize=8)
    if reading.confidence is None:
        axes.hist(reading.predicted, bins=20)
        axes.set_xlabel("predicted", fontsize=8)
        return
    if isinstance(reading.task, MultiLabelClassification):
        counts = reading.predicted.sum(axis=0)
        axes.set_xlabel("predicted label", fontsize=8)
    else:
        classes = getattr(reading.task, "num_classes", 2)
        counts = np.bincount(reading.predicted.ravel(), minlength=classes)
        axes.set_xlabel("predicted class", fontsize=8)
    axes.bar(range(len(counts)), counts)
    if len(counts) <= MOST_NUMBERED:
        axes.set_xticks(range(len(counts)))
