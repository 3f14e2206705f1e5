"""Tests the number of samples of each data set in each step."""

import numpy as np
import pytest

from mtl_keras.datasets.mixing.schedules import make_plan

SCHEDULES = ("joint", "alternate", "proportional", "square_root", "uniform")


def table(schedule, sizes, epoch=0, seed=2, **arguments):
    """Returns the samples of each data set in each step, and the length."""
    plan = make_plan(sizes, schedule, batch_size=4, **arguments)
    counts = plan.counts(np.int64(epoch), np.array([1, seed])).numpy()
    assert len(counts) == plan.steps
    return counts


@pytest.mark.parametrize("schedule", SCHEDULES)
def test_longest_passes_each_sample_of_the_longest_set_once(schedule):
    for sizes in ({"a": 14, "b": 5}, {"a": 8, "b": 8}, {"a": 22, "b": 7}):
        counts = table(schedule, sizes)
        assert counts[:, 0].sum() == sizes["a"]
        assert counts[:, 1].sum() > 0
        assert 0 < counts.sum(axis=1).min() <= counts.sum(axis=1).max() == 4


@pytest.mark.parametrize("schedule", SCHEDULES)
def test_shortest_passes_no_sample_twice(schedule):
    for sizes in ({"a": 14, "b": 5}, {"a": 9, "b": 10}):
        counts = table(schedule, sizes, steps_per_epoch="shortest").sum(axis=0)
        assert (counts <= list(sizes.values())).all()
        # One of them is exhausted.
        assert (counts == list(sizes.values())).any()


@pytest.mark.parametrize("schedule", (*SCHEDULES, "annealed"))
def test_a_number_of_steps(schedule):
    annealed = {"anneal_epochs": 3} if schedule == "annealed" else {}
    sizes = {"a": 22, "b": 7}
    counts = table(schedule, sizes, steps_per_epoch=9, **annealed)
    assert counts.sum(axis=1).tolist() == [4] * 9


@pytest.mark.parametrize(
    ("schedule", "expected"),
    [
        ("proportional", [16, 4]),
        ("square_root", [16, 8]),
        ("uniform", [16] * 2),
    ],
)
def test_sampling_takes_whole_batches(schedule, expected):
    counts = table(schedule, {"a": 64, "b": 16})
    assert sorted(set(counts.ravel())) == [0, 4]
    assert (counts > 0).sum(axis=0).tolist() == expected
    other = table(schedule, {"a": 64, "b": 16}, seed=3)
    assert (counts != other).any()


def test_alternate_takes_turns():
    counts = table("alternate", {"a": 9, "b": 4, "c": 2})
    turns = 4 * np.tile(np.eye(3, dtype=int), (3, 1))
    turns[6, 0] = 1  # what is left of the longest
    assert counts.tolist() == turns.tolist()


def test_annealing_goes_from_proportional_towards_uniform():
    sizes = {"a": 256, "b": 16}
    tables = [table("annealed", sizes, e, anneal_epochs=5) for e in range(7)]
    shares = [(counts[:, 1] > 0).sum() for counts in tables]
    # Shares of 16 ** p / (16 ** p + 256 ** p) of 68 batches, p from 1 to 0.2.
    powers = np.array([1, 0.8, 0.6, 0.4, 0.2, 0.2, 0.2])
    exact = 68 * 16**powers / (16**powers + 256**powers)
    assert np.abs(np.array(shares) - exact).max() < 1


@pytest.mark.parametrize(
    ("shares", "expected"),
    [
        (None, [4, 4]),
        ("uniform", [4, 4]),
        ("proportional", [7, 1]),
        ("square_root", [6, 2]),
        ({"a": 1, "b": 7}, [1, 7]),
        ({"b": 7, "a": 1}, [1, 7]),
    ],
)
def test_shares_by_name(shares, expected):
    plan = make_plan(
        {"a": 90, "b": 10}, batch_size=8, shares=shares, steps_per_epoch=2
    )
    assert plan.counts(0, None).numpy().tolist() == [expected] * 2
