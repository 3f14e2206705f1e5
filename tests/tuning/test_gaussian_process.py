"""Proposals of the Gaussian process: new, good and valid."""

import keras_tuner
import numpy as np
import pytest
from factory_harness import mostly_slow

from mtl_keras.tuning.objective import Objective
from mtl_keras.tuning.oracles import BayesianOracle, RandomOracle

COST = [Objective("cost", "min")]


def oracle_of(declare, cls=BayesianOracle, seed=0, initial=5):
    hp = keras_tuner.HyperParameters()
    declare(hp)
    more = {} if cls is RandomOracle else {"num_initial_points": initial}
    oracle = cls(
        objective=keras_tuner.Objective("cost", "min"),
        hyperparameters=hp,
        seed=seed + 1,
        **more,
    )
    oracle.begin_search(seed, COST)
    return oracle


def play(oracle, cost, trials):
    """Runs a search, and returns the proposed values."""
    proposed = []
    for _ in range(trials):
        trial = oracle.propose("worker")
        values = trial.hyperparameters.values
        proposed.append(dict(values))
        found = cost(values)
        status = "failed" if found is None else "completed"
        oracle.finish(trial.trial_id, status, found and (found,))
    return proposed


def two_floats(hp):
    hp.Float("rate", 1e-4, 1.0, sampling="log")
    hp.Float("share", 0.0, 1.0)


def bowl(values):
    """Returns a cost with its minimum at a rate of 0.01 and a share of 0.7."""
    rate = np.log10(values["rate"]) + 2
    return rate**2 + 10 * (values["share"] - 0.7) ** 2 + 1.0


def test_the_first_points_fill_the_space():
    proposed = play(oracle_of(two_floats, initial=8), bowl, 8)
    # A Sobol sequence: one in each eighth of each range.
    for name, scale in (("rate", 4), ("share", 1)):
        values = [point[name] for point in proposed]
        unit = np.log10(values) / 4 + 1 if scale == 4 else np.array(values)
        assert sorted((unit * 8).astype(int)) == list(range(8))


@pytest.mark.parametrize("seed", mostly_slow(range(3), [0]))
def test_the_least_point_is_found(seed):
    best = {
        cls: min(
            bowl(values)
            for values in play(oracle_of(two_floats, cls, seed), bowl, 14)
        )
        for cls in (BayesianOracle, RandomOracle)
    }
    assert best[BayesianOracle] < 1.02
    assert best[BayesianOracle] < best[RandomOracle]


def test_a_name_is_found_that_has_no_place_between_others():
    costs = dict(zip("abcdefgh", (5, 4, 5, 1, 5, 4, 5, 4), strict=True))

    def declare(hp):
        hp.Choice("method", list(costs))
        hp.Float("share", 0.0, 1.0)

    def cost(values):
        return costs[values["method"]] + (values["share"] - 0.5) ** 2

    proposed = play(oracle_of(declare, initial=10), cost, 18)
    late = [values["method"] for values in proposed[12:]]
    assert late.count("d") > len(late) / 2


@pytest.mark.slow
def test_every_point_is_proposed_once_and_then_no_more():
    def declare(hp):
        hp.Choice("width", [1, 2, 3])
        hp.Choice("method", ["a", "b", "c", "d"])

    oracle = oracle_of(declare)
    proposed = play(oracle, lambda values: float(values["width"]), 12)
    assert len({tuple(values.items()) for values in proposed}) == 12
    assert oracle.propose("worker") is None


def test_inactive_values_are_not_proposed():
    def declare(hp):
        hp.Choice("method", ["plain", "tempered"])
        with hp.conditional_scope("method", ["tempered"]):
            hp.Float("temperature", 0.1, 10.0, sampling="log")

    def cost(values):
        if values["method"] == "plain":
            return 1.0
        return abs(np.log10(values["temperature"]) - 0.5)

    # One plain trial is all there are.
    proposed = play(oracle_of(declare), cost, 12)
    for values in proposed:
        assert ("temperature" in values) == (values["method"] == "tempered")
    assert sum(values["method"] == "plain" for values in proposed) == 1
    assert min(map(cost, proposed)) < 0.1


def test_where_trials_fail_others_are_tried():
    def cost(values):
        return None if values["share"] > 0.5 else bowl(values)

    proposed = play(oracle_of(two_floats, initial=8), cost, 20)
    early, late = proposed[:8], proposed[8:]
    assert sum(cost(values) is None for values in early) == 4
    assert sum(cost(values) is None for values in late) < len(late) / 2


@pytest.mark.slow
def test_trials_that_run_side_by_side_differ():
    oracle = oracle_of(two_floats)
    play(oracle, bowl, 6)
    running = [oracle.propose(f"worker {at}") for at in range(4)]
    points = [
        (np.log10(trial.hyperparameters.values["rate"]) / 4,
         trial.hyperparameters.values["share"])
        for trial in running
    ]  # fmt: skip
    for at, point in enumerate(points):
        for other in points[:at]:
            assert np.linalg.norm(np.subtract(point, other)) > 1e-3
