"""Trade-offs between objectives: the front, its knee, its hypervolume."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np


def non_dominated(points: np.ndarray) -> np.ndarray:
    """Tells which points no other one dominates.

    A point dominates another if it is at least as good in every objective and
    better in one. Equal points do not dominate each other.

    Args:
        points: Array of shape `(points, objectives)`, of which less is better.

    Returns:
        Booleans of shape `(points,)`.

    Example:

    >>> from mtl_keras.tuning.pareto import non_dominated
    >>> non_dominated(np.array([[1, 2], [2, 1], [2, 2]])).tolist()
    [True, True, False]
    """
    points = np.asarray(points, float)
    kept = np.ones(len(points), bool)
    for at, point in enumerate(points):
        as_good = np.all(points <= point, axis=1)
        better = np.any(points < point, axis=1)
        kept[at] = not np.any(as_good & better)
    return kept


def knee(points: np.ndarray) -> int:
    """Returns the index of the point nearest to the best of everything.

    Objectives are scaled to what the front spans, and the distance is
    Euclidean.

    Args:
        points: A front, see `non_dominated`.
    """
    points = np.asarray(points, float)
    low, high = points.min(axis=0), points.max(axis=0)
    scaled = (points - low) / np.where(high > low, high - low, 1.0)
    return int(np.argmin(np.sum(scaled**2, axis=1)))


def hypervolume(points: np.ndarray, reference: Sequence[float]) -> float:
    """Returns the volume that a set of points dominates.

    Exact, by slicing along the last objective (Hypervolume by Slicing
    Objectives), so for a few objectives and some hundred points.

    Args:
        points: Array of shape `(points, objectives)`, of which less is better.
        reference: The worst corner; points beyond it count nothing.

    Reference:
        While et al., "A Faster Algorithm for Calculating Hypervolume", 2006.

    Example:

    >>> from mtl_keras.tuning.pareto import hypervolume
    >>> hypervolume(np.array([[0.0, 1.0], [1.0, 0.0]]), (2.0, 2.0))
    3.0
    """
    points = np.asarray(points, float).reshape(-1, len(reference))
    reference = np.asarray(reference, float)
    points = points[np.all(points < reference, axis=1)]
    if not len(points):
        return 0.0
    if len(reference) == 1:
        return float(reference[0] - points.min())
    points = points[np.argsort(points[:, -1])]
    ends = np.append(points[1:, -1], reference[-1])
    return float(
        sum(
            (end - points[at, -1])
            * hypervolume(points[: at + 1, :-1], reference[:-1])
            for at, end in enumerate(ends)
            if end > points[at, -1]
        )
    )
