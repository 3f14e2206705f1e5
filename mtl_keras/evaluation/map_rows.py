"""Rows of images that show the true and predicted label of each pixel."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator, Mapping, Sequence

import numpy as np

from mtl_keras.evaluation.task_predictions import TaskPrediction


@dataclasses.dataclass(frozen=True)
class MapRow:
    """An image for each sample.

    Args:
        label: Text at the left of the row.
        maps: Array of shape `(samples, height, width)`, masked where there is
            no label.
        options: Dict of arguments of `imshow`.
        score: Function from the index of a sample to a text that rates its
            prediction; or `None`.
    """

    label: str
    maps: np.ndarray
    options: Mapping
    score: Callable[[int], str] | None = None


def map_rows(predictions: Sequence[TaskPrediction]) -> list[MapRow]:
    """Returns the rows of tasks with a label per pixel: true and predicted.

    Args:
        predictions: Predictions of segmentations and dense regressions.

    Returns:
        One or two rows for each mask, and for each number of a pixel.
    """
    return [
        row
        for prediction in predictions
        for row in (
            _number_rows(prediction)
            if prediction.task.num_label_classes is None
            else _class_rows(prediction)
        )
    ]


def show(axes, image: np.ndarray, **options) -> None:
    """Draws an image without ticks.

    Args:
        axes: Axes of matplotlib.
        image: Array of shape `(height, width[, channels])`.
        **options: As in `Axes.imshow`.
    """
    axes.imshow(image, interpolation="nearest", **options)
    axes.set_xticks([])
    axes.set_yticks([])


def _class_rows(prediction: TaskPrediction) -> Iterator[MapRow]:
    name, count = (
        prediction.task.display_name,
        prediction.task.num_label_classes,
    )
    options = {"cmap": _colours(count), "vmin": -0.5, "vmax": count - 0.5}
    # A pixel without a label is -1.
    predicted = np.ma.masked_less(prediction.predicted, 0)
    score = None
    if prediction.true is not None:
        true = prediction.true
        yield MapRow(f"{name}\ntrue", np.ma.masked_less(true, 0), options)

        def score(sample: int) -> str:
            overlap = _mean_iou(true[sample], prediction.predicted[sample])
            return f"IoU {overlap:.2f}"

    yield MapRow(f"{name}\npredicted", predicted, options, score)


def _colours(classes: int):
    from matplotlib import colormaps
    from matplotlib.colors import ListedColormap

    if classes == 2:
        colours = ["black", "white"]
    else:  # black is the background
        palette = colormaps["tab10" if classes <= 11 else "gist_rainbow"]
        steps = np.arange(classes - 1)
        picks = steps if classes <= 11 else steps / max(classes - 2, 1)
        colours = ["black", *(palette(pick) for pick in picks)]
    return ListedColormap(colours).with_extremes(bad="0.6")


def _number_rows(prediction: TaskPrediction) -> Iterator[MapRow]:
    from matplotlib import colormaps

    colours = colormaps["viridis"].with_extremes(bad="0.6")
    units = prediction.predicted.shape[-1]
    for unit in range(units):
        name = (
            f"{prediction.task.display_name} {unit}"
            if units > 1
            else prediction.task.display_name
        )
        predicted = prediction.predicted[..., unit]
        true = None if prediction.true is None else prediction.true[..., unit]
        known = predicted if true is None else true[np.isfinite(true)]
        # Both rows share a range, so that a colour means the same number.
        options = {"cmap": colours}
        if known.size:
            options |= {"vmin": float(known.min()), "vmax": float(known.max())}
        if true is None:
            yield MapRow(f"{name}\npredicted", predicted, options)
            continue
        yield MapRow(f"{name}\ntrue", np.ma.masked_invalid(true), options)
        yield MapRow(
            f"{name}\npredicted", predicted, options, _rmse(true, predicted)
        )


def _rmse(true: np.ndarray, predicted: np.ndarray) -> Callable[[int], str]:
    def score(sample: int) -> str:
        errors = (predicted - true)[sample]
        errors = errors[np.isfinite(errors)]
        if not errors.size:
            return "no label"
        return f"RMSE {np.sqrt(np.square(errors).mean()):.2g}"

    return score


def _mean_iou(true: np.ndarray, predicted: np.ndarray) -> float:
    """Returns the mean IoU of the classes that occur, without background."""
    known = true >= 0
    overlaps = []
    for label in np.union1d(true[known], predicted[known]):
        if label == 0:
            continue
        here, there = (true == label) & known, (predicted == label) & known
        overlaps.append((here & there).sum() / (here | there).sum())
    return float(np.mean(overlaps)) if overlaps else 1.0
