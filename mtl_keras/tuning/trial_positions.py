"""Converts the values of trials to positions in their space."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from mtl_keras.tuning.dimensions import Choices, Fixed, Range
from mtl_keras.tuning.search_space import SearchSpace


def varied_dimensions(space: SearchSpace) -> dict[str, Range | Choices]:
    """Returns the dimensions that are not fixed.

    Args:
        space: The space.
    """
    return {n: d for n, d in space.items() if not isinstance(d, Fixed)}


def positions(
    space: SearchSpace, trial_labels: Sequence[Mapping]
) -> dict[str, np.ndarray]:
    """Returns the positions of trials in each dimension.

    Args:
        space: The space.
        trial_labels: Labels of each trial, as in `TrialRecord.labels`.

    Returns:
        Dict from name of a varied dimension to an array of shape `(trials,)`,
        from 0 for the lower bound or first choice to 1. Inactive values are
        NaN.
    """
    found = {}
    for name, dimension in varied_dimensions(space).items():
        found[name] = np.array(
            [
                dimension.position(labels[name])
                if name in labels and space.is_active(name, labels)
                else np.nan
                for labels in trial_labels
            ]
        )
    return found


def random_labels(
    space: SearchSpace, count: int, rng: np.random.Generator
) -> dict[str, list]:
    """Draws random labels of each dimension independently.

    Args:
        space: The space.
        count: Number of draws.
        rng: Random number generator.

    Returns:
        Dict from name of a varied dimension to a list of labels.
    """
    return {
        name: [dimension.at(share) for share in rng.random(count)]
        for name, dimension in varied_dimensions(space).items()
    }
