"""Fronts and volumes, compared with definitions and random points."""

import numpy as np
import pytest

from mtl_keras.tuning.oracles import chebyshev
from mtl_keras.tuning.pareto import hypervolume, knee, non_dominated


@pytest.mark.parametrize("objectives", [1, 2, 3])
def test_nothing_dominates_the_front(rng, objectives):
    points = rng.integers(0, 5, size=(30, objectives)).astype(float)
    kept = non_dominated(points)
    for at, point in enumerate(points):
        dominated = any(
            all(other <= point) and any(other < point) for other in points
        )
        assert kept[at] == (not dominated)


@pytest.mark.parametrize("objectives", [1, 2, 3, 4])
def test_hypervolume_is_the_share_of_random_points_below(rng, objectives):
    points = rng.uniform(0, 1, size=(8, objectives))
    corner = np.full(objectives, 1.0)
    draws = rng.uniform(0, 1, size=(40_000, objectives))
    covered = np.zeros(len(draws), bool)
    for point in points:
        covered |= np.all(draws >= point, axis=1)
    share = covered.mean()
    assert hypervolume(points, corner) == pytest.approx(share, abs=0.01)


def test_hypervolume_counts_no_dominated_point_and_none_beyond(rng):
    points = rng.uniform(0, 1, size=(20, 3))
    front = points[non_dominated(points)]
    corner = (0.8, 0.9, 1.0)
    whole = hypervolume(points, corner)
    assert hypervolume(front, corner) == pytest.approx(whole)
    more = np.vstack([points, [[0.9, 0.0, 0.0]]])
    assert hypervolume(more, corner) == pytest.approx(whole)
    assert hypervolume(np.empty((0, 3)), corner) == 0


def test_knee_is_nearest_to_the_best_of_everything():
    front = np.array([[0.0, 100.0], [1.0, 20.0], [10.0, 0.0]])
    assert knee(front) == 1
    assert knee(np.array([[3.0, 4.0]])) == 0


def test_chebyshev_follows_the_weights():
    points = np.array([[0.0, 1.0], [1.0, 0.0], [0.6, 0.6]])
    assert np.argmin(chebyshev(points, np.array([9.0, 1.0]))) == 0
    assert np.argmin(chebyshev(points, np.array([1.0, 9.0]))) == 1
    # Dominated points are never the best, whatever the weights.
    worse = np.vstack([points, [[1.0, 1.0]]])
    for weight in np.linspace(0.01, 0.99, 9):
        found = chebyshev(worse, np.array([weight, 1 - weight]))
        assert np.argmin(found) != 3
