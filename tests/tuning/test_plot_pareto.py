"""Plots of Pareto fronts, read back from the axes."""

import numpy as np
import pytest
from trial_records import OBJECTIVES, make_space, make_trials

from mtl_keras.tuning.plot_pareto import plot_pareto


def points(axes, label):
    """Returns the points of a panel with a label, as a set of pairs."""
    (line,) = (line for line in axes.lines if line.get_label() == label)
    return set(zip(*line.get_data(), strict=True))


def dominated(trial, trials, objectives):
    """Checks whether another trial dominates one."""

    def gains(other):
        return [
            o.cost(trial.objectives[o.name]) - o.cost(other.objectives[o.name])
            for o in objectives
        ]

    return any(min(gains(o)) >= 0 and max(gains(o)) > 0 for o in trials)


@pytest.mark.parametrize("count", [2, 3])
def test_points_are_the_trials_and_the_front_is_the_front(count):
    objectives = OBJECTIVES[:count]
    trials = make_trials(make_space(), count=25, failed=(3, 9))
    figure = plot_pareto(trials, objectives)
    panels = [axes for axes in figure.axes if axes.axison]
    assert len(panels) == count * (count - 1) / 2
    done = [trial for trial in trials if trial.completed]
    front = [t for t in done if not dominated(t, done, objectives)]
    for axes in panels:
        x, y = (
            label().split(" (")[0]
            for label in (axes.get_xlabel, axes.get_ylabel)
        )
        of = {t.number: (t.objectives[x], t.objectives[y]) for t in done}
        kept = {of[t.number] for t in front}
        assert points(axes, "Pareto front") == kept
        assert points(axes, "trial") == set(of.values()) - kept
        assert points(axes, "knee") < kept
        numbered = {int(text.get_text()): text.xy for text in axes.texts}
        assert numbered == {t.number: of[t.number] for t in front}


def test_no_point_lies_beyond_the_steps():
    trials = make_trials(make_space(), count=25)
    (axes,) = plot_pareto(trials, OBJECTIVES[:2]).axes
    (steps,) = (
        line for line in axes.lines if line.get_drawstyle() == "steps-post"
    )
    x, y = steps.get_data()
    # From the most accurate on, ever fewer parameters.
    assert np.all(np.diff(x) < 0) and np.all(np.diff(y) < 0)
    for trial in trials:
        accuracy, parameters = (
            trial.objectives[o.name] for o in OBJECTIVES[:2]
        )
        reached = np.searchsorted(-np.array(x), -accuracy, side="right") - 1
        assert reached < 0 or parameters >= y[reached]


def test_directions_are_said_and_wide_ranges_are_logarithmic():
    trials = make_trials(make_space(), count=25)
    axes = plot_pareto(trials, OBJECTIVES).axes[1]
    assert axes.get_xlabel() == "left_accuracy (higher is better)"
    assert axes.get_ylabel() == "right_rmse (lower is better)"
    assert (axes.get_xscale(), axes.get_yscale()) == ("linear", "log")


def test_a_single_trial_is_the_front_and_the_knee():
    trials = make_trials(make_space(), count=1)
    figure = plot_pareto(trials, OBJECTIVES[:2])
    (axes,) = figure.axes
    assert points(axes, "trial") == set()
    assert points(axes, "Pareto front") == points(axes, "knee") != set()
    figure.draw_without_rendering()


def test_one_objective_has_no_front():
    trials = make_trials(make_space())
    with pytest.raises(ValueError, match=r"found \['left_accuracy'\]"):
        plot_pareto(trials, OBJECTIVES[:1])
