"""Rows of pictures that say what is true and predicted of each pixel."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator, Mapping, Sequence

import numpy as np

from mtl_keras.evaluation.readings import Reading
from mtl_keras.tasks import Segmentation


@dataclasses.dataclass(frozen=True)
class MapRow:
    """A picture for each sample.

    Args:
        label: What the row shows.
        maps: Array of shape `(samples, height, width)`; masked where nothing
            is known.
        options: Dict of arguments of `imshow`.
        score: Function from the number of a sample to how well it was
            predicted, as text; or `None`.
    """

    label: str
    maps: np.ndarray
    options: Mapping
    score: Callable[[int], str] | None = None


def map_rows(readings: Sequence[Reading]) -> list[MapRow]:
    """Lists the rows of tasks on pixels: what is true, and what is predicted.

    Args:
        readings: Readings of segmentations and dense regressions.

    Returns:
        One row or two for each mask, and for each number of a pixel.
    """
    return [
        row
        for reading in readings
        for row in (
            _of_classes(reading)
            if isinstance(reading.task, Segmentation)
            else _of_numbers(reading)
        )
    ]


def show(axes, picture: np.ndarray, **options) -> None:
    """Draws a picture without ticks.

    Args:
        axes: Axes of matplotlib.
        picture: Array of shape `(height, width[, channels])`.
        **options: As in `Axes.imshow`.
    """
    axes.imshow(picture, interpolation="nearest", **options)
    axes.set_xticks([])
    axes.set_yticks([])


def _of_classes(reading: Reading) -> Iterator[MapRow]:
    name, count = reading.task.name, max(reading.task.num_classes, 2)
    options = {"cmap": _colours(count), "vmin": -0.5, "vmax": count - 0.5}
    # A pixel without a label is -1.
    predicted = np.ma.masked_less(reading.predicted, 0)
    score = None
    if reading.true is not None:
        true = reading.true
        yield MapRow(f"{name}\ntrue", np.ma.masked_less(true, 0), options)

        def score(sample: int) -> str:
            overlap = _mean_iou(true[sample], reading.predicted[sample])
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


def _of_numbers(reading: Reading) -> Iterator[MapRow]:
    from matplotlib import colormaps

    colours = colormaps["viridis"].with_extremes(bad="0.6")
    units = reading.predicted.shape[-1]
    for unit in range(units):
        name = f"{reading.task.name} {unit}" if units > 1 else reading.task.name
        predicted = reading.predicted[..., unit]
        true = None if reading.true is None else reading.true[..., unit]
        known = predicted if true is None else true[np.isfinite(true)]
        # One range for both rows, so that a colour is a number.
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
    """Mean overlap over the classes that occur, without the background."""
    known = true >= 0
    overlaps = []
    for label in np.union1d(true[known], predicted[known]):
        if label == 0:
            continue
        here, there = (true == label) & known, (predicted == label) & known
        overlaps.append((here & there).sum() / (here | there).sum())
    return float(np.mean(overlaps)) if overlaps else 1.0
