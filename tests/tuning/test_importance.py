"""Importance against objectives whose variance is known."""

import numpy as np
import pytest
from trial_records import TASKS, build
from tuning_problem import build_eager, search_small

from mtl_keras.tuning.importance import importance
from mtl_keras.tuning.objective import Objective
from mtl_keras.tuning.search_space import SearchSpace
from mtl_keras.tuning.trial_positions import random_labels
from mtl_keras.tuning.trial_record import FAILED, TrialRecord

LOSS = Objective("loss", "min")


def records(space, function, count=60, seed=0):
    """Trials at random points, whose objective is a function of them."""
    columns = random_labels(space, count, np.random.default_rng(seed))
    rows = [
        dict(zip(columns, values, strict=True))
        for values in zip(*columns.values(), strict=True)
    ]
    return [
        TrialRecord(n, row, row, objectives={"loss": float(function(row))})
        for n, row in enumerate(rows)
    ]


def numbers(**more):
    """A space of two ranges and some choices."""
    space = {"learning_rate": (1e-4, 1e-2), "trunk_width": (8, 64), **more}
    return SearchSpace(build, space, TASKS)


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("name", ["learning_rate", "trunk_width"])
def test_what_alone_matters_has_all_the_importance(name, seed):
    space = numbers(batch_size=[16, 32])
    trials = records(space, lambda row: np.log(row[name]), seed=seed)
    found = importance(trials, LOSS, space, seed=seed)
    assert next(iter(found.shares)) == name
    assert found.shares[name] > 0.95
    assert sum(found.shares.values()) == pytest.approx(1)
    assert found.explained > 0.9


def test_shares_of_a_sum_are_those_of_its_variances():
    space = SearchSpace(
        build,
        {"learning_rate": (0.0, 1.0), "trunk_width": [1, 2], "batch_size": 4},
        TASKS,
    )
    # Variances of 1 / 12 of the one, and of 0.25 b^2 of the other.
    share = 0.3
    b = np.sqrt(share / (1 - share) / 12 / 0.25)
    trials = records(
        space,
        lambda row: row["learning_rate"] + b * row["trunk_width"],
        count=400,
    )
    found = importance(trials, LOSS, space).shares
    assert found["trunk_width"] == pytest.approx(share, abs=0.03)
    assert "batch_size" not in found


def test_it_says_how_little_it_knows_of_noise():
    space = numbers()
    rng = np.random.default_rng(0)
    trials = records(space, lambda row: rng.normal())
    assert importance(trials, LOSS, space).explained < 0.2


def test_names_count_as_names():
    """The order of choices without one carries no meaning."""
    space = numbers(activation=["relu", "gelu", "elu", "tanh"])
    trials = records(space, lambda row: row["activation"] in ("relu", "elu"))
    assert importance(trials, LOSS, space).shares["activation"] > 0.95


def test_an_argument_counts_where_its_weighting_is_chosen():
    space = SearchSpace(
        build,
        {"weighting": [None, "cagrad"], "weighting/c": (0.1, 0.9)},
        TASKS,
    )
    trials = [
        TrialRecord(
            t.number,
            t.values,
            {k: v for k, v in t.labels.items() if k == "weighting"}
            if t.labels["weighting"] == "None"
            else t.labels,
            objectives=t.objectives,
        )
        for t in records(
            space,
            lambda row: (
                row["weighting/c"] if row["weighting"] == "cagrad" else 0.5
            ),
            count=200,
        )
    ]
    # v / 4 is lost without the choice, and v / 2 without the argument, where
    # v is the variance of the argument.
    found = importance(trials, LOSS, space).shares
    assert found["weighting"] == pytest.approx(1 / 3, abs=0.05)
    assert found["weighting/c"] == pytest.approx(2 / 3, abs=0.05)


def test_order_of_trials_and_size_of_the_objective_do_not_count():
    space = numbers()
    trials = records(space, lambda row: row["trunk_width"])
    small = records(space, lambda row: 1e-12 * row["trunk_width"] + 1e-3)
    found = importance(trials, LOSS, space)
    assert found == importance(trials, LOSS, space)
    assert importance(small, LOSS, space).shares == pytest.approx(
        found.shares, abs=1e-3
    )


def test_trials_that_failed_do_not_count():
    space = numbers()
    trials = records(space, lambda row: row["trunk_width"], count=30)
    labels = trials[0].labels
    more = [
        TrialRecord(30, labels, labels, status=FAILED),
        TrialRecord(31, labels, labels, objectives={"loss": np.inf}),
    ]
    found = importance([*trials, *more], LOSS, space)
    assert found == importance(trials, LOSS, space)


def test_a_constant_objective_has_no_cause():
    space = numbers()
    found = importance(records(space, lambda row: 7.0, count=6), LOSS, space)
    assert found.shares == {"learning_rate": 0.0, "trunk_width": 0.0}
    assert found.explained == 0


@pytest.mark.parametrize("count", [0, 1, 4])
def test_few_trials_are_refused(count):
    space = numbers()
    trials = records(space, lambda row: row["trunk_width"], count=count)
    with pytest.raises(ValueError, match=f"There are {count} trials with"):
        importance(trials, LOSS, space)


def test_a_study_has_it_for_each_objective(tmp_path):
    study = search_small(
        tmp_path,
        build_eager,
        {"width": [2, 3, 4], "loss_weight": (0.1, 10.0)},
        objective=["left_accuracy", "parameters"],
        max_trials=6,
    )
    found = study.importance()
    assert list(found) == ["left_accuracy", "parameters"]
    assert next(iter(found["parameters"].shares)) == "width"
    assert found["parameters"].shares["width"] > 0.9
