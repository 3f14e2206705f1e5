"""Plots Pareto fronts."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence

import numpy as np

from mtl_keras.evaluation.plot_history import MIN_LOG_RATIO
from mtl_keras.tuning import pareto
from mtl_keras.tuning.objective import Objective, costs
from mtl_keras.tuning.trial_record import TrialRecord

PANEL_WIDTH, PANEL_HEIGHT = 4.6, 3.8
COLUMNS = 3
# With more trials on the front, their numbers would be unreadable.
MAX_NUMBERED = 20


def plot_pareto(trials: Sequence[TrialRecord], objectives: Sequence[Objective]):
    """Plots a panel for each pair of objectives, with the Pareto front.

    The front is that of all objectives together: the trials that no other
    trial dominates. Its points show the numbers of their trials, and the knee
    is a star.

    Args:
        trials: The trials, at least one of them completed.
        objectives: At least two objectives.

    Returns:
        A `matplotlib.figure.Figure`.

    Raises:
        ImportError: If matplotlib is not installed.
        ValueError: If there is only one objective.
    """
    if len(objectives) < 2:
        names = [objective.name for objective in objectives]
        raise ValueError(
            f"A Pareto front needs two objectives or more; found {names}. Call "
            "plot_history(), or search with several objectives."
        )
    from mtl_keras.evaluation.figure import NotebookFigure

    done = [trial for trial in trials if trial.completed]
    points = np.array([costs(t.objectives, objectives) for t in done])
    on_front = pareto.non_dominated(points)
    pairs = list(itertools.combinations(objectives, 2))
    columns = min(COLUMNS, len(pairs))
    rows = math.ceil(len(pairs) / columns)
    figure = NotebookFigure(PANEL_WIDTH * columns, PANEL_HEIGHT * rows)
    grid = figure.subplots(rows, columns, squeeze=False).flat
    for axes, pair in itertools.zip_longest(grid, pairs):
        if pair is None:
            axes.set_axis_off()
            continue
        front = [t for t, on in zip(done, on_front, strict=True) if on]
        rest = [t for t, on in zip(done, on_front, strict=True) if not on]
        _draw_pair(axes, front, rest, pair)
        if len(objectives) == 2:
            _draw_steps(axes, front, pair)
        _draw_knee(axes, front[pareto.knee(points[on_front])], pair)
        _finish(axes, pair)
    return figure


def _draw_pair(axes, front, rest, pair: Sequence[Objective]) -> None:
    from mtl_keras.evaluation.figure import TRAIN, VALIDATION

    axes.plot(*_coordinates(rest, pair), ".", color=TRAIN, label="trial")
    axes.plot(
        *_coordinates(front, pair),
        "o",
        color=VALIDATION,
        markersize=5,
        label="Pareto front",
    )
    if len(front) > MAX_NUMBERED:
        return
    for trial, x, y in zip(front, *_coordinates(front, pair), strict=True):
        axes.annotate(
            str(trial.number),
            (x, y),
            (4, 4),
            textcoords="offset points",
            fontsize=7,
        )


def _draw_steps(axes, front, pair: Sequence[Objective]) -> None:
    """Draws the border of the dominated region."""
    from mtl_keras.evaluation.figure import VALIDATION

    front = sorted(front, key=lambda trial: costs(trial.objectives, pair))
    axes.plot(
        *_coordinates(front, pair),
        color=VALIDATION,
        drawstyle="steps-post",
        linewidth=1,
        zorder=1,
    )


def _draw_knee(axes, knee: TrialRecord, pair: Sequence[Objective]) -> None:
    from mtl_keras.evaluation.figure import WRONG

    axes.plot(
        *_coordinates([knee], pair),
        "*",
        color=WRONG,
        markersize=11,
        label="knee",
    )


def _finish(axes, pair: Sequence[Objective]) -> None:
    for objective, axis, set_label, set_scale in (
        (pair[0], axes.xaxis, axes.set_xlabel, axes.set_xscale),
        (pair[1], axes.yaxis, axes.set_ylabel, axes.set_yscale),
    ):
        better = "lower" if objective.direction == "min" else "higher"
        set_label(f"{objective.name} ({better} is better)", fontsize=9)
        low, high = axis.get_data_interval()
        if low > 0 and high > MIN_LOG_RATIO * low:
            set_scale("log")
    axes.tick_params(labelsize=8)
    axes.grid(alpha=0.3)
    axes.legend(fontsize=8, frameon=False)


def _coordinates(trials, pair: Sequence[Objective]) -> tuple[list, list]:
    x, y = pair
    return (
        [trial.objectives[x.name] for trial in trials],
        [trial.objectives[y.name] for trial in trials],
    )
