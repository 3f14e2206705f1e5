"""Plots trials in parallel coordinates."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Sequence

import numpy as np

from mtl_keras.evaluation.plot_history import MIN_LOG_RATIO
from mtl_keras.tuning.dimensions import Choices, Range
from mtl_keras.tuning.objective import Objective
from mtl_keras.tuning.search_space import SearchSpace
from mtl_keras.tuning.trial_positions import positions, varied_dimensions
from mtl_keras.tuning.trial_record import TrialRecord

AXIS_WIDTH, HEIGHT = 1.25, 3.8
# Height of an inactive hyperparameter, below all values.
INACTIVE = -0.12
_LONGEST_NAME = 14


def plot_parallel(
    trials: Sequence[TrialRecord],
    objectives: Sequence[Objective],
    space: SearchSpace,
):
    """Plots a line for each trial across hyperparameters and objectives.

    On the axes of objectives, better values are higher. The color of a line
    shows the first objective, and the best trial is thick. Failed trials are
    dashed and have no objective.

    Args:
        trials: The trials, at least one of them completed.
        objectives: The objectives.
        space: The space of the trials.

    Returns:
        A `matplotlib.figure.Figure`.

    Raises:
        ImportError: If matplotlib is not installed.
    """
    from mtl_keras.evaluation.figure import NotebookFigure

    columns = [
        *_hyperparameter_columns(trials, space),
        *(_objective_column(trials, objective) for objective in objectives),
    ]
    heights = np.stack([column.heights for column in columns], axis=1)
    figure = NotebookFigure(AXIS_WIDTH * (len(columns) + 1), HEIGHT)
    axes = figure.subplots()
    _draw_columns(axes, columns)
    # The worst trials first, so that the best one is on top.
    first = heights[:, len(columns) - len(objectives)]
    for at in np.argsort(np.where(np.isnan(first), -1, first), kind="stable"):
        _draw_trial(axes, trials[at], heights[at], first[at])
    (line,) = (
        drawn
        for drawn in axes.lines
        if drawn.get_gid() == f"trial {trials[np.nanargmax(first)].number}"
    )
    line.set(linewidth=3, alpha=1)
    title = f"{objectives[0].name}: violet is best, yellow worst"
    if np.isnan(first).any():
        title += "; dashed: failed"
    axes.set_title(title, fontsize=8, loc="right")
    return figure


@dataclasses.dataclass(frozen=True)
class _Column:
    """A vertical axis: a name, ticks, and the height of each trial on it."""

    name: str
    ticks: dict[float, str]
    heights: np.ndarray


def _hyperparameter_columns(trials, space: SearchSpace) -> list[_Column]:
    dimensions = varied_dimensions(space)
    found = []
    for name, along in positions(space, [t.labels for t in trials]).items():
        ticks = _ticks(dimensions[name])
        if np.isnan(along).any():
            ticks[INACTIVE] = "inactive"
        heights = np.where(np.isnan(along), INACTIVE, along)
        found.append(_Column(name, ticks, heights))
    return found


def _ticks(dimension: Range | Choices) -> dict[float, str]:
    if isinstance(dimension, Choices):
        labels = dimension.ordered_labels
    elif dimension.scale == "log":
        low, high = map(math.log10, (dimension.low, dimension.high))
        inside = range(math.floor(low) + 1, math.ceil(high))
        labels = [dimension.low, *(10.0**n for n in inside), dimension.high]
    else:
        labels = np.linspace(dimension.low, dimension.high, 5)
    return {dimension.position(label): _text(label) for label in labels}


def _objective_column(trials, objective: Objective) -> _Column:
    """Returns an axis from the worst trial, at 0, to the best, at 1."""
    values = np.array(
        [trial.objectives.get(objective.name, np.nan) for trial in trials]
    )
    low, high = np.nanmin(values), np.nanmax(values)
    sign = 1 if objective.direction == "max" else -1
    if low == high:
        return _Column(objective.name, {0.5: _text(low)}, 0.5 + 0 * values)
    log = low > 0 and high > MIN_LOG_RATIO * low
    scale = np.log if log else np.asarray
    ends = (low, high) if sign > 0 else (high, low)
    start, end = map(scale, ends)
    marks = np.linspace(start, end, 5)
    texts = np.exp(marks) if log else marks
    ticks = zip(np.linspace(0, 1, 5), map(_text, texts), strict=True)
    heights = (scale(values) - start) / (end - start)
    return _Column(objective.name, dict(ticks), heights)


def _draw_columns(axes, columns: Sequence[_Column]) -> None:
    for at, column in enumerate(columns):
        axes.axvline(at, color="0.6", linewidth=1, zorder=0)
        for height, text in column.ticks.items():
            axes.annotate(
                text,
                (at, height),
                (-3, 0),
                textcoords="offset points",
                fontsize=7,
                ha="right",
                va="center",
                # Readable on top of lines.
                bbox={"boxstyle": "square,pad=0.1", "fc": "w", "ec": "none"},
                gid=f"{column.name} {height:.6f}",
                zorder=4,
            )
    names = [column.name.replace("/", "/\n", 1) for column in columns]
    axes.set_xticks(range(len(columns)), names, fontsize=8)
    axes.set_yticks([])
    axes.set_xlim(-0.7, len(columns) - 0.9)
    axes.spines[:].set_visible(False)
    axes.tick_params(length=0)


def _draw_trial(axes, trial: TrialRecord, heights, quality: float) -> None:
    from matplotlib import colormaps

    failed = math.isnan(quality)
    axes.plot(
        range(len(heights)),
        heights,
        color="0.6" if failed else colormaps["viridis_r"](quality),
        linestyle="--" if failed else "-",
        linewidth=1,
        alpha=0.7,
        gid=f"trial {trial.number}",
    )


def _text(value) -> str:
    if isinstance(value, str):
        shown = value.strip("'")
        longer = len(shown) > _LONGEST_NAME
        return f"{shown[: _LONGEST_NAME - 1]}…" if longer else shown
    return str(value) if isinstance(value, bool) else f"{value:.4g}"
