"""Where trials are in their space, as numbers that plots and forests take."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from mtl_keras.tuning.dimensions import Choices, Fixed, Range
from mtl_keras.tuning.search_space import SearchSpace


def searched(space: SearchSpace) -> dict[str, Range | Choices]:
    """Returns the dimensions in which trials differ.

    Args:
        space: The space.
    """
    return {n: d for n, d in space.items() if not isinstance(d, Fixed)}


def positions(
    space: SearchSpace, labels_of_trials: Sequence[Mapping]
) -> dict[str, np.ndarray]:
    """Says how far along each dimension trials are.

    Args:
        space: The space.
        labels_of_trials: Values of each trial, as `TrialRecord.labels` has
            them.

    Returns:
        Dict from name of a searched dimension to an array of shape
        `(trials,)`: from 0, the lower end or first choice, to 1; NaN where
        a trial does not take the value.
    """
    found = {}
    for name, dimension in searched(space).items():
        found[name] = np.array(
            [
                dimension.position(labels[name])
                if name in labels and space.is_active(name, labels)
                else np.nan
                for labels in labels_of_trials
            ]
        )
    return found


def random_labels(
    space: SearchSpace, count: int, rng: np.random.Generator
) -> dict[str, list]:
    """Draws values of each dimension, each independent of the others.

    Args:
        space: The space.
        count: Number of draws.
        rng: Random numbers.

    Returns:
        Dict from name of a searched dimension to a list of values.
    """
    return {
        name: [dimension.at(share) for share in rng.random(count)]
        for name, dimension in searched(space).items()
    }
