"""Plots of the progress of a search, read back from the axes."""

import numpy as np
import pytest
from trial_records import OBJECTIVES, make_space, make_trials

from mtl_keras.tuning.objective import costs
from mtl_keras.tuning.pareto import hypervolume
from mtl_keras.tuning.plot_trial_history import plot_trial_history


def lines(axes):
    """Returns the lines of a panel by label."""
    return {line.get_label(): line for line in axes.lines}


def test_points_are_the_trials_and_the_line_the_best_so_far():
    trials = make_trials(make_space(), failed=(0, 5))
    figure = plot_trial_history(trials, OBJECTIVES)
    done = [trial for trial in trials if trial.completed]
    for axes, objective in zip(figure.axes, OBJECTIVES, strict=False):
        assert axes.get_title() == objective.name
        drawn = lines(axes)
        assert list(drawn["trial"].get_xdata()) == [t.number for t in done]
        values = [t.objectives[objective.name] for t in done]
        assert list(drawn["trial"].get_ydata()) == values
        best = {"min": min, "max": max}[objective.direction]
        assert list(drawn["best so far"].get_ydata()) == [
            best(values[: at + 1]) for at in range(len(values))
        ]
        assert list(drawn["failed"].get_xdata()) == [0, 5]
    assert [axes.get_yscale() for axes in figure.axes] == [
        "linear",
        "linear",
        "log",
        "linear",
    ]


def test_the_last_panel_has_the_hypervolume():
    trials = make_trials(make_space(), failed=(2,))
    figure = plot_trial_history(trials, OBJECTIVES[:2])
    axes = figure.axes[-1]
    assert axes.get_title() == "hypervolume"
    volumes = axes.lines[0].get_ydata()
    assert np.all(np.diff(volumes) > -1e-9)
    points = np.array(
        [costs(t.objectives, OBJECTIVES[:2]) for t in trials if t.completed]
    )
    assert volumes[-1] == hypervolume(points, points.max(axis=0))
    assert volumes[4] == hypervolume(points[:5], points.max(axis=0))


def test_trials_that_ended_out_of_order_are_drawn_in_order():
    trials = make_trials(make_space())
    figure = plot_trial_history(trials[::-1], OBJECTIVES[:1])
    assert len(figure.axes) == 1
    drawn = lines(figure.axes[0])["trial"].get_xdata()
    assert list(drawn) == list(range(12))


def test_spreads_over_folds_are_bars():
    trials = make_trials(make_space(), deviations=True)
    figure = plot_trial_history(trials, OBJECTIVES[:1])
    (bars,) = figure.axes[0].collections
    ends = [segment[:, 1] for segment in bars.get_segments()]
    for trial, (low, high) in zip(trials, ends, strict=True):
        value = trial.objectives["left_accuracy"]
        assert (low, high) == pytest.approx((0.99 * value, 1.01 * value))
    plain = plot_trial_history(make_trials(make_space()), OBJECTIVES[:1])
    assert not plain.axes[0].collections


@pytest.mark.parametrize("count", [1, 2])
def test_a_single_trial_is_seen(count):
    trials = make_trials(make_space(), count=1)
    figure = plot_trial_history(trials, OBJECTIVES[:count])
    for axes in figure.axes:
        assert any(line.get_marker() not in ("None", "") for line in axes.lines)
    figure.draw_without_rendering()
