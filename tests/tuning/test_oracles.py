"""Oracles: proposals depend on the seed and earlier trials only."""

import pytest
from tuning_problem import build

from mtl_keras import tuning
from mtl_keras.tuning.objective import Objective
from mtl_keras.tuning.oracles import TUNERS, make_oracle

COST = [Objective("cost", "min")]
BOTH = [Objective("first", "min"), Objective("second", "min")]


@pytest.fixture(scope="module")
def space():
    hyper_model = tuning.MultiTaskHyperModel(
        build,
        {"loss_weight": (0.1, 10.0), "trunk_width": [2, 4, 8]},
        merge=False,
    )
    return hyper_model.space


def outcome(labels, count):
    """Returns a cost with one minimum, and some failures."""
    if labels["trunk_width"] == 8:
        return "failed", None
    ratio = labels["loss_weight/right"]
    found = (abs(ratio - 2), abs(ratio - 5) + labels["trunk_width"])
    return "completed", found[:count]


def follow(oracle, trials, past=()):
    """Runs a search, and returns the proposals."""
    proposed = []
    for at in range(trials):
        recorded = past[at] if at < len(past) else None
        trial = oracle.propose("worker", recorded)
        if trial is None:
            break
        labels = trial.hyperparameters.values
        proposed.append(dict(labels))
        status, found = outcome(labels, len(oracle._objectives))
        oracle.finish(trial.trial_id, status, found)
    return proposed


@pytest.mark.parametrize(
    ("tuner", "objectives"),
    [
        *((tuner, COST) for tuner in TUNERS),
        ("bayesian", BOTH),
        *(
            pytest.param(tuner, BOTH, marks=pytest.mark.slow)
            for tuner in TUNERS
            if tuner != "bayesian"
        ),
    ],
    ids=lambda value: {1: "one", 2: "two"}.get(len(value), value),
)
def test_a_resumed_search_makes_the_same_proposals(
    space, tuner, objectives, tmp_path, monkeypatch
):
    monkeypatch.chdir(tmp_path)

    def new():
        return make_oracle(tuner, space, objectives, epochs=9, seed=3)

    whole = follow(new(), 8)
    for known in (1, 6):
        assert follow(new(), 8, whole[:known]) == whole
    # Nothing on the disk.
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("tuner", ["random", "bayesian", "hyperband"])
def test_proposals_follow_from_the_seed(space, tuner):
    first, other = (
        follow(make_oracle(tuner, space, COST, epochs=9, seed=seed), 6)
        for seed in (0, 1)
    )
    assert first != other
    # Zero is a seed like any other.
    again = follow(make_oracle(tuner, space, COST, epochs=9, seed=0), 6)
    assert again == first


def test_impossible_records_are_refused(space):
    oracle = make_oracle("grid", space, COST, epochs=1, seed=0)
    with pytest.raises(ValueError, match="another version of KerasTuner"):
        oracle.propose("worker", {"trunk_width": 3, "loss_weight/right": 1.0})


@pytest.mark.slow
def test_the_process_comes_nearer_than_chance(space):
    found = {
        tuner: follow(make_oracle(tuner, space, COST, epochs=1, seed=0), 12)
        for tuner in ("bayesian", "random")
    }
    late = {
        tuner: sum(abs(p["loss_weight/right"] - 2) for p in proposed[6:])
        for tuner, proposed in found.items()
    }
    assert late["bayesian"] < late["random"]


def test_unknown_tuners_are_refused(space):
    with pytest.raises(ValueError, match="Did you mean 'bayesian'"):
        make_oracle("baysian", space, COST, epochs=1, seed=0)
