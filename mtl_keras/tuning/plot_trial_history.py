"""Plots the progress of a search."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from mtl_keras.evaluation.plot_history import MIN_LOG_RATIO
from mtl_keras.tuning import pareto
from mtl_keras.tuning.objective import Objective, costs
from mtl_keras.tuning.trial_record import TrialRecord

PANEL_WIDTH, PANEL_HEIGHT = 4.2, 3.0


def plot_trial_history(
    trials: Sequence[TrialRecord], objectives: Sequence[Objective]
):
    """Plots a panel for each objective: each trial, and the best so far.

    With several objectives, another panel shows the hypervolume of the Pareto
    front so far, relative to the worst values of all trials. Failed trials are
    crosses at the bottom.

    Args:
        trials: The trials, at least one of them completed.
        objectives: The objectives.

    Returns:
        A `matplotlib.figure.Figure`.

    Raises:
        ImportError: If matplotlib is not installed.
    """
    from mtl_keras.evaluation.figure import NotebookFigure

    trials = sorted(trials, key=lambda trial: trial.number)
    count = len(objectives) + (len(objectives) > 1)
    figure = NotebookFigure(PANEL_WIDTH * count, PANEL_HEIGHT)
    panels = figure.subplots(1, count, squeeze=False)[0]
    for axes, objective in zip(panels, objectives, strict=False):
        _draw_objective(axes, trials, objective)
    if len(objectives) > 1:
        _draw_hypervolume(panels[-1], trials, objectives)
    for axes in panels:
        _finish(axes, trials)
    return figure


def _draw_objective(axes, trials, objective: Objective) -> None:
    from mtl_keras.evaluation.figure import TRAIN, VALIDATION

    done = [trial for trial in trials if trial.completed]
    numbers = [trial.number for trial in done]
    values = np.array([trial.objectives[objective.name] for trial in done])
    spreads = [t.deviations.get(objective.name, 0.0) for t in done]
    if any(spreads):
        axes.errorbar(numbers, values, spreads, fmt="none", ecolor="0.8")
    axes.plot(numbers, values, ".", color=TRAIN, label="trial")
    better = np.minimum if objective.direction == "min" else np.maximum
    axes.plot(
        numbers,
        better.accumulate(values),
        color=VALIDATION,
        drawstyle="steps-post",
        marker="o" if len(done) == 1 else None,
        markerfacecolor="none",
        label="best so far",
    )
    if values.min() > 0 and values.max() > MIN_LOG_RATIO * values.min():
        axes.set_yscale("log")
    axes.set_title(objective.name, fontsize=10)


def _draw_hypervolume(axes, trials, objectives: Sequence[Objective]) -> None:
    from mtl_keras.evaluation.figure import VALIDATION

    done = [trial for trial in trials if trial.completed]
    points = np.array([costs(t.objectives, objectives) for t in done])
    worst = points.max(axis=0)
    volumes = [
        pareto.hypervolume(points[:count], worst)
        for count in range(1, len(points) + 1)
    ]
    axes.plot(
        [trial.number for trial in done],
        volumes,
        color=VALIDATION,
        drawstyle="steps-post",
        marker="o" if len(done) == 1 else None,
    )
    axes.set_title("hypervolume", fontsize=10)


def _finish(axes, trials: Sequence[TrialRecord]) -> None:
    from matplotlib.ticker import MaxNLocator

    from mtl_keras.evaluation.figure import WRONG

    failed = [trial.number for trial in trials if not trial.completed]
    if failed:
        axes.plot(
            failed,
            [0.02] * len(failed),
            "x",
            color=WRONG,
            label="failed",
            transform=axes.get_xaxis_transform(),
            clip_on=False,
        )
    axes.set_xlabel("trial", fontsize=8)
    axes.xaxis.set_major_locator(MaxNLocator(8, integer=True, min_n_ticks=1))
    axes.tick_params(labelsize=8)
    axes.grid(alpha=0.3)
    if len(axes.get_legend_handles_labels()[1]) > 1:
        axes.legend(fontsize=8, frameon=False)
