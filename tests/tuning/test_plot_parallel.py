"""Parallel coordinates, read back through the ticks of their axes."""

import dataclasses

import numpy as np
import pytest
from trial_records import OBJECTIVES, make_space, make_trials

from mtl_keras.tuning.plot_parallel import INACTIVE, plot_parallel


def axis_names(axes):
    """Returns the labels below the axes."""
    return [
        text.get_text().replace("\n", "")
        for text in axes.get_xmajorticklabels()
    ]


def ticks(axes, at):
    """Returns the heights of the ticks of an axis by text."""
    return {t.get_text(): t.xy[1] for t in axes.texts if t.xy[0] == at}


def heights(axes, trial):
    """Returns the height of a trial on each axis."""
    (line,) = (
        line for line in axes.lines if line.get_gid() == f"trial {trial.number}"
    )
    return line.get_ydata()


def read(marks, height):
    """Interpolates the number at a height between two ticks."""
    numbers = {
        h: float(text) for text, h in marks.items() if text != "inactive"
    }
    known = np.array(sorted(numbers))
    values = np.array([numbers[height] for height in known])
    if values.min() > 0 and values.max() >= 10 * values.min():
        return np.exp(np.interp(height, known, np.log(values)))
    return np.interp(height, known, values)


@pytest.fixture(scope="module")
def drawn():
    space = make_space()
    trials = make_trials(space, count=20, failed=(4, 11))
    figure = plot_parallel(trials, OBJECTIVES, space)
    figure.draw_without_rendering()
    return space, trials, figure.axes[0]


def test_an_axis_for_each_hyperparameter_and_objective(drawn):
    space, _, axes = drawn
    assert axis_names(axes) == [*space, *(o.name for o in OBJECTIVES)]


def test_heights_are_the_values(drawn):
    space, trials, axes = drawn
    for at, name in enumerate(space):
        marks = ticks(axes, at)
        for trial in trials:
            height = heights(axes, trial)[at]
            value = trial.labels.get(name)
            if value is None:
                assert height == INACTIVE == marks["inactive"]
            elif isinstance(value, str):
                assert height == marks[value]
            else:
                assert read(marks, height) == pytest.approx(value, rel=0.02)


def test_better_is_higher(drawn):
    _, trials, axes = drawn
    first = len(axis_names(axes)) - len(OBJECTIVES)
    done = [trial for trial in trials if trial.completed]
    for at, objective in enumerate(OBJECTIVES, start=first):
        found = [heights(axes, trial)[at] for trial in done]
        costs = [objective.cost(t.objectives[objective.name]) for t in done]
        assert np.all(np.diff(np.array(costs)[np.argsort(found)]) <= 0)
        assert min(found) == pytest.approx(0) and max(found) == 1
        marks = ticks(axes, at)
        for trial, height in zip(done, found, strict=True):
            value = trial.objectives[objective.name]
            assert read(marks, height) == pytest.approx(value, rel=0.02)


def test_failed_trials_are_dashed_and_have_no_objective(drawn):
    space, trials, axes = drawn
    styles = {
        line.get_gid(): line.get_linestyle()
        for line in axes.lines
        if line.get_gid()
    }
    for trial in trials:
        dashed = styles[f"trial {trial.number}"] == "--"
        assert dashed != trial.completed
        ends = heights(axes, trial)[len(space) :]
        assert np.isnan(ends).all() != trial.completed
    assert axes.get_title("right").endswith("dashed: failed")


def test_the_thick_line_is_the_best(drawn):
    _, trials, axes = drawn
    done = [trial for trial in trials if trial.completed]
    best = max(done, key=lambda trial: trial.objectives["left_accuracy"])
    widths = {line.get_gid(): line.get_linewidth() for line in axes.lines}
    assert max(widths, key=widths.get) == f"trial {best.number}"


def test_a_single_trial_and_a_constant_objective():
    space = make_space()
    one = make_trials(space, count=1)
    figure = plot_parallel(one, OBJECTIVES, space)
    figure.draw_without_rendering()
    assert list(heights(figure.axes[0], one[0])[-3:]) == [0.5, 0.5, 0.5]
    same = [
        dataclasses.replace(trial, objectives=one[0].objectives)
        for trial in make_trials(space, count=5)
    ]
    axes = plot_parallel(same, OBJECTIVES, space).axes[0]
    assert {heights(axes, trial)[-1] for trial in same} == {0.5}


def test_fixed_values_have_no_axis():
    space = make_space(trunk_width=8, learning_rate=(1e-3, 1e-2))
    trials = make_trials(space, count=3)
    axes = plot_parallel(trials, OBJECTIVES[:1], space).axes[0]
    assert axis_names(axes) == ["learning_rate", "left_accuracy"]
    assert not axes.get_title("right").endswith("failed")
