"""Computes Pareto fronts, their knees and hypervolumes."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np


def non_dominated(points: np.ndarray) -> np.ndarray:
    """Finds the points that no other point dominates.

    A point dominates another if it is at least as good in every objective and
    better in one. Equal points do not dominate each other.

    Args:
        points: Costs (lower is better), array of shape `(points,
            objectives)`.

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
    """Returns the index of the point nearest to the ideal point.

    The distance is Euclidean, with each objective scaled to the range of the
    front.

    Args:
        points: A front, see `non_dominated`.
    """
    points = np.asarray(points, float)
    low, high = points.min(axis=0), points.max(axis=0)
    scaled = (points - low) / np.where(high > low, high - low, 1.0)
    return int(np.argmin(np.sum(scaled**2, axis=1)))


def hypervolume(points: np.ndarray, reference: Sequence[float]) -> float:
    """Computes the volume that a set of points dominates.

    The computation is exact and slices along the last objective (Hypervolume
    by Slicing Objectives). It suits a few objectives and some hundred points.

    Args:
        points: Costs (lower is better), array of shape `(points,
            objectives)`.
        reference: The reference point; points beyond it are ignored.

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
