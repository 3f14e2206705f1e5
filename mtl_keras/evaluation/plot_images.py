"""Plots of images with their true and predicted maps, classes and numbers."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from mtl_keras.evaluation.map_rows import map_rows, show
from mtl_keras.evaluation.task_predictions import TaskPrediction

CELL = 1.35
LINE = 0.17
LABELS = 1.1


def plot_images(
    images: np.ndarray,
    maps: Sequence[TaskPrediction],
    others: Sequence[TaskPrediction],
):
    """Plots a column for each image.

    Args:
        images: Array of shape `(n, height, width[, channels])`.
        maps: Predictions of tasks with a label per pixel, drawn as images.
        others: Predictions of all other tasks, written as text.

    Returns:
        A `matplotlib.figure.Figure`.
    """
    from mtl_keras.evaluation.figure import NotebookFigure

    rows = map_rows(maps)
    count = len(images)
    lines = [_lines(others, sample) for sample in range(count)]
    text = LINE * max(len(line) for line in lines)
    width = max(4.0, LABELS + CELL * count)
    figure = NotebookFigure(width, CELL * (1 + len(rows)) + text + 0.2)
    grid = figure.subplots(1 + len(rows), count, squeeze=False)
    for sample, axes in enumerate(grid[0]):
        show(axes, _displayable(images[sample]), cmap="gray")
        _write(axes, lines[sample])
    for axes_row, row in zip(grid[1:], rows, strict=True):
        axes_row[0].set_ylabel(row.label, fontsize=8)
        for sample, axes in enumerate(axes_row):
            show(axes, row.maps[sample], **row.options)
            if row.score is not None:
                axes.set_xlabel(row.score(sample), fontsize=8, labelpad=2)
    grid[0][0].set_ylabel("image", fontsize=8)
    return figure


def _write(axes, lines: Sequence[tuple[str, str]]) -> None:
    """Writes lines above an image, the last one closest to it."""
    for row, (text, colour) in enumerate(reversed(lines)):
        axes.annotate(
            text,
            (0.5, 1.0),
            xytext=(0, 3 + row * LINE * 72),
            xycoords="axes fraction",
            textcoords="offset points",
            ha="center",
            fontsize=8,
            color=colour,
        )


def _lines(
    predictions: Sequence[TaskPrediction], sample: int
) -> list[tuple[str, str]]:
    """Returns the lines of text of a sample, with their colours."""
    from mtl_keras.evaluation.figure import PLAIN

    lines = []
    for prediction in predictions:
        if len(predictions) > 1:
            lines.append((f"{prediction.task.display_name}:", PLAIN))
        lines += _task_lines(prediction, sample)
    return lines


def _task_lines(
    prediction: TaskPrediction, sample: int
) -> list[tuple[str, str]]:
    from mtl_keras.evaluation.figure import PLAIN

    if prediction.task.labels_per != "sample":
        return []
    predicted = prediction.predicted[sample]
    true = None if prediction.true is None else prediction.true[sample]
    if prediction.confidence is None:
        text = " ".join(f"{number:.3g}" for number in predicted)
        if true is None:
            return [(text, PLAIN)]
        truth = " ".join(f"{number:.3g}" for number in true)
        # A number is never simply right or wrong.
        return [(text, PLAIN), (f"true {truth}", PLAIN)]
    if prediction.task.columns:
        text = _label_list(predicted)
        truth, known = _label_list(true), true is not None
    else:
        text = f"{predicted} ({prediction.confidence[sample]:.0%})"
        truth, known = str(true), true is not None and true >= 0
    if not known:
        return [(text, PLAIN)]
    return [(text, _judge(predicted, true)), (f"true {truth}", PLAIN)]


def _judge(predicted, true) -> str:
    from mtl_keras.evaluation.figure import RIGHT, WRONG

    known = np.asarray(true) >= 0
    right = np.all((np.asarray(predicted) == true) | ~known)
    return RIGHT if right else WRONG


def _label_list(labels) -> str:
    if labels is None:
        return ""
    return ", ".join(map(str, np.flatnonzero(labels > 0))) or "none"


def _displayable(image: np.ndarray) -> np.ndarray:
    """Scales an image to the range of 0 to 1, and drops a single channel."""
    image = np.squeeze(image, -1) if image.shape[-1:] == (1,) else image
    image = np.nan_to_num(image.astype("float32"))
    if image.min() >= 0 and image.max() <= 1:
        return image
    if image.min() >= 0 and image.max() <= 255:
        return image / 255
    # Standardized pixels: stretched to their own range.
    return (image - image.min()) / np.ptp(image)
