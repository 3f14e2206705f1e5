"""Draws images with their true and predicted masks, classes and numbers."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from mtl_keras.evaluation.readings import Reading, is_one_class_per_sample
from mtl_keras.tasks import MultiLabelClassification

CELL = 1.35
LINE = 0.17
LABELS = 1.1


def plot_images(
    images: np.ndarray, masks: Sequence[Reading], others: Sequence[Reading]
):
    """Draws a column for each image.

    Args:
        images: Array of shape `(n, height, width[, channels])`.
        masks: Readings of segmentations, drawn as pictures.
        others: Readings of all other tasks, written as text.

    Returns:
        A `matplotlib.figure.Figure`.
    """
    from mtl_keras.evaluation.figure import NotebookFigure

    rows = _mask_rows(masks)
    count = len(images)
    lines = [_lines(others, sample) for sample in range(count)]
    text = LINE * max(len(line) for line in lines)
    width = max(4.0, LABELS + CELL * count)
    figure = NotebookFigure(width, CELL * (1 + len(rows)) + text + 0.2)
    grid = figure.subplots(1 + len(rows), count, squeeze=False)
    for sample, axes in enumerate(grid[0]):
        _show(axes, _displayable(images[sample]), cmap="gray")
        _write(axes, lines[sample])
    for axes_row, (label, labels, classes, truth) in zip(
        grid[1:], rows, strict=True
    ):
        axes_row[0].set_ylabel(label, fontsize=8)
        for sample, axes in enumerate(axes_row):
            _show_mask(axes, labels[sample], classes)
            if truth is not None:
                overlap = _mean_iou(truth[sample], labels[sample])
                axes.set_xlabel(f"IoU {overlap:.2f}", fontsize=8, labelpad=2)
    grid[0][0].set_ylabel("image", fontsize=8)
    return figure


def _mask_rows(masks: Sequence[Reading]) -> list[tuple]:
    """Rows of masks: label, masks, number of classes, truth to compare."""
    rows = []
    for reading in masks:
        name, classes = reading.task.name, max(reading.task.num_classes, 2)
        if reading.true is not None:
            rows.append((f"{name}\ntrue", reading.true, classes, None))
        rows.append(
            (f"{name}\npredicted", reading.predicted, classes, reading.true)
        )
    return rows


def _show(axes, picture: np.ndarray, **options) -> None:
    axes.imshow(picture, interpolation="nearest", **options)
    axes.set_xticks([])
    axes.set_yticks([])


def _show_mask(axes, mask: np.ndarray, classes: int) -> None:
    from matplotlib import colormaps
    from matplotlib.colors import ListedColormap

    if classes == 2:
        colours = ["black", "white"]
    else:  # black is the background
        palette = colormaps["tab10" if classes <= 11 else "gist_rainbow"]
        steps = np.arange(classes - 1)
        picks = steps if classes <= 11 else steps / max(classes - 2, 1)
        colours = ["black", *(palette(pick) for pick in picks)]
    # A pixel without a label is -1, which is masked out.
    _show(
        axes,
        np.ma.masked_less(mask, 0),
        cmap=ListedColormap(colours).with_extremes(bad="0.6"),
        vmin=-0.5,
        vmax=classes - 0.5,
    )


def _write(axes, lines: Sequence[tuple[str, str]]) -> None:
    """Writes lines above an image, the last one next to it."""
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


def _lines(readings: Sequence[Reading], sample: int) -> list[tuple[str, str]]:
    """Lines of text and their colours, for one sample."""
    from mtl_keras.evaluation.figure import PLAIN

    lines = []
    for reading in readings:
        if len(readings) > 1:
            lines.append((f"{reading.task.name}:", PLAIN))
        lines += _reading_lines(reading, sample)
    return lines


def _reading_lines(reading: Reading, sample: int) -> list[tuple[str, str]]:
    from mtl_keras.evaluation.figure import PLAIN

    predicted = reading.predicted[sample]
    true = None if reading.true is None else reading.true[sample]
    if is_one_class_per_sample(reading.task):
        text = f"{predicted} ({reading.confidence[sample]:.0%})"
        truth, known = str(true), true is not None and true >= 0
    elif isinstance(reading.task, MultiLabelClassification):
        text = _label_list(predicted)
        truth, known = _label_list(true), true is not None
    elif reading.confidence is None:
        text = " ".join(f"{number:.3g}" for number in predicted)
        known = true is not None
        truth = " ".join(f"{number:.3g}" for number in true) if known else ""
        # A number is never simply right or wrong.
        return [(text, PLAIN)] + ([(f"true {truth}", PLAIN)] if known else [])
    else:
        return []
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
    """The image in the range of 0 to 1, without an axis of one channel."""
    image = np.squeeze(image, -1) if image.shape[-1:] == (1,) else image
    image = np.nan_to_num(image.astype("float32"))
    if image.min() >= 0 and image.max() <= 1:
        return image
    if image.min() >= 0 and image.max() <= 255:
        return image / 255
    # Standardized pixels: stretched over what there is.
    return (image - image.min()) / np.ptp(image)


def _mean_iou(true: np.ndarray, predicted: np.ndarray) -> float:
    """Mean overlap over the classes that occur, without the background."""
    known = true >= 0
    overlaps = []
    for label in np.union1d(true[known], predicted[known]):
        if label == 0:
            continue
        here, there = (true == label) & known, (predicted == label) & known
        overlaps.append((here & there).sum() / (here | there).sum())
    return float(np.mean(overlaps)) if overlaps else 1.0
