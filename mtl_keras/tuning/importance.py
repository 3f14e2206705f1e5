"""Measures the importance of hyperparameters. Imports SciPy."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence

import numpy as np
from scipy.stats import rankdata

from mtl_keras.tuning.dimensions import Choices
from mtl_keras.tuning.objective import Objective
from mtl_keras.tuning.search_space import SearchSpace
from mtl_keras.tuning.trial_positions import (
    positions,
    random_labels,
    varied_dimensions,
)
from mtl_keras.tuning.trial_record import TrialRecord

_TREES = 200
_DRAWS = 512
MIN_TRIALS = 5
# Position of an inactive hyperparameter, left of all values.
_INACTIVE = -1.0


@dataclasses.dataclass(frozen=True)
class Importance:
    """The importance of each hyperparameter for an objective.

    Args:
        shares: Dict from hyperparameter to its share of the variance, largest
            first. The shares sum to 1, or are all 0 if the objective is
            constant.
        explained: Out-of-bag R2 of the forest on the ranks of the trials. Near
            1, the shares are reliable; near 0 or below, they are not.
    """

    shares: dict[str, float]
    explained: float


def importance(
    trials: Sequence[TrialRecord],
    objective: Objective,
    space: SearchSpace,
    *,
    seed: int = 0,
) -> Importance:
    """Measures the importance of each hyperparameter for an objective.

    A random forest learns the ranks of the trials. The importance of a
    hyperparameter is its total effect: its share of the forest's variance over
    random points of the whole space, including its interactions. It therefore
    depends neither on where the tuner has searched most nor on outliers.

    Args:
        trials: The trials; failed ones are ignored.
        objective: The objective.
        space: The space of the trials.
        seed: Seed of the forest and of the points. Defaults to `0`.

    Returns:
        An `Importance`.

    Raises:
        ValueError: If fewer than five trials have completed.

    Reference:
        Hutter et al., "An Efficient Approach for Assessing Hyperparameter
        Importance", ICML 2014; Jansen, "Analysis of variance designs for model
        output", 1999, for the estimator.
    """
    completed = [trial for trial in trials if trial.completed]
    if len(completed) < MIN_TRIALS:
        raise ValueError(
            f"{len(completed)} trials have completed; importance needs "
            f"{MIN_TRIALS} or more, and about ten for each hyperparameter to "
            "be reliable."
        )
    ranks = rankdata([t.objectives[objective.name] for t in completed])
    if np.ptp(ranks) == 0:
        return Importance(dict.fromkeys(varied_dimensions(space), 0.0), 0.0)
    forest = _grow(
        _columns(space, [trial.labels for trial in completed]), ranks, seed
    )
    effects = _total_effects(forest, space, np.random.default_rng(seed))
    total = sum(effects.values())
    shares = {
        name: effect / total if total > 0 else 0.0
        for name, effect in sorted(effects.items(), key=lambda pair: -pair[1])
    }
    return Importance(shares, float(forest.oob_score_))


def _grow(columns: np.ndarray, ranks: np.ndarray, seed: int):
    from sklearn.ensemble import RandomForestRegressor

    forest = RandomForestRegressor(
        _TREES, min_samples_leaf=2, oob_score=True, random_state=seed
    )
    return forest.fit(columns, ranks)


def _total_effects(
    forest, space: SearchSpace, rng: np.random.Generator
) -> dict[str, float]:
    """Returns half the mean squared change by another value of each one."""
    points = random_labels(space, _DRAWS, rng)
    others = random_labels(space, _DRAWS, rng)
    before = forest.predict(_columns(space, _rows(points)))
    effects = {}
    for name in points:
        changed = _rows({**points, name: others[name]})
        after = forest.predict(_columns(space, changed))
        effects[name] = float(np.mean((after - before) ** 2) / 2)
    return effects


def _rows(columns: Mapping[str, list]) -> list[dict]:
    return [
        dict(zip(columns, values, strict=True))
        for values in zip(*columns.values(), strict=True)
    ]


def _columns(space: SearchSpace, trial_labels: Sequence[Mapping]) -> np.ndarray:
    """Returns the features of the forest; names are encoded one-hot."""
    found = []
    for name, along in positions(space, trial_labels).items():
        along = np.where(np.isnan(along), _INACTIVE, along)
        dimension = space[name]
        if isinstance(dimension, Choices) and not dimension.is_ordered:
            places = [dimension.position(label) for label in dimension.labels]
            found += [(along == place).astype(float) for place in places]
        else:
            found.append(along)
    return np.stack(found, axis=1)
