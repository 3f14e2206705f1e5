"""Importance, compared with objectives of known variance."""

import numpy as np
import pytest
from factory_harness import mostly_slow
from scipy.stats import rankdata
from trial_records import make_space
from tuning_problem import search_small

from mtl_keras.tuning.importance import importance
from mtl_keras.tuning.objective import Objective
from mtl_keras.tuning.trial_positions import random_labels
from mtl_keras.tuning.trial_record import FAILED, TrialRecord

LOSS = Objective("loss", "min")


def records(space, function, count=60, seed=0):
    """Creates trials at random points with a function as objective."""
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
    """Creates a space of two ranges and more dimensions."""
    return make_space(learning_rate=(1e-4, 1e-2), trunk_width=(8, 64), **more)


@pytest.fixture
def few_trees(monkeypatch):
    """Uses few trees, for tests that hold for any forest."""
    monkeypatch.setattr("mtl_keras.tuning.importance._TREES", 30)


@pytest.mark.parametrize("seed", mostly_slow(range(3), [0]))
@pytest.mark.parametrize(
    "name", mostly_slow(["learning_rate", "trunk_width"], ["learning_rate"])
)
def test_the_only_relevant_hyperparameter_has_all_the_importance(name, seed):
    space = numbers(batch_size=[16, 32])
    trials = records(space, lambda row: np.log(row[name]), seed=seed)
    found = importance(trials, LOSS, space, seed=seed)
    assert next(iter(found.shares)) == name
    assert found.shares[name] > 0.95
    assert sum(found.shares.values()) == pytest.approx(1)
    assert found.explained > 0.9


def test_shares_are_the_total_effects_on_the_rank():
    """Compares with the definition on a full grid of the function."""
    space = make_space(learning_rate=(0.0, 1.0), trunk_width=[1, 2, 3])

    def function(row):
        return row["learning_rate"] ** 2 + 0.3 * row["trunk_width"]

    trials = records(space, function, count=400)
    found = importance(trials, LOSS, space).shares
    rates = (np.arange(400) + 0.5) / 400
    grid = rates[:, None] ** 2 + 0.3 * np.array([1, 2, 3])
    ranks = rankdata(grid).reshape(grid.shape)
    effects = {
        "learning_rate": np.var(ranks, axis=0).mean(),
        "trunk_width": np.var(ranks, axis=1).mean(),
    }
    for name, effect in effects.items():
        share = effect / sum(effects.values())
        assert found[name] == pytest.approx(share, abs=0.04)


def test_noise_is_not_explained(few_trees):
    space = numbers()
    rng = np.random.default_rng(0)
    trials = records(space, lambda row: rng.normal())
    assert importance(trials, LOSS, space).explained < 0.2


def test_names_count_as_names(few_trees):
    """The order of unordered choices has no effect."""
    space = numbers(activation=["relu", "gelu", "elu", "tanh"])
    trials = records(space, lambda row: row["activation"] in ("relu", "elu"))
    assert importance(trials, LOSS, space).shares["activation"] > 0.95


def test_an_argument_counts_where_its_weighting_is_chosen():
    space = make_space(
        **{"weighting": [None, "cagrad"], "weighting/c": (0.1, 0.9)}
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


def test_only_the_ranks_of_the_trials_matter(few_trees):
    space = numbers()
    trials = records(space, lambda row: row["trunk_width"])
    found = importance(trials, LOSS, space)
    assert found == importance(trials, LOSS, space)
    for other in (
        lambda row: 1e-12 * row["trunk_width"] + 1e-3,
        lambda row: np.exp(row["trunk_width"]),
        lambda row: np.inf if row["trunk_width"] == 64 else row["trunk_width"],
    ):
        assert importance(records(space, other), LOSS, space) == found


def test_trials_that_failed_do_not_count(few_trees):
    space = numbers()
    trials = records(space, lambda row: row["trunk_width"], count=30)
    labels = trials[0].labels
    failed = TrialRecord(30, labels, labels, status=FAILED)
    found = importance([*trials, failed], LOSS, space)
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
    with pytest.raises(ValueError, match=f"{count} trials have completed"):
        importance(trials, LOSS, space)


@pytest.mark.slow
def test_a_study_has_it_for_each_objective(tmp_path, few_trees):
    study = search_small(
        tmp_path,
        space={"width": [2, 3, 4], "loss_weight": (0.1, 10.0)},
        objective=["left_accuracy", "parameters"],
        max_trials=5,
    )
    found = study.importance()
    assert list(found) == ["left_accuracy", "parameters"]
    assert next(iter(found["parameters"].shares)) == "width"
    assert found["parameters"].shares["width"] > 0.9
