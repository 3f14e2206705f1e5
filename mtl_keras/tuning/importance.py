"""How much each hyperparameter moves an objective. Imports SciPy."""

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
    searched,
)
from mtl_keras.tuning.trial_record import TrialRecord

_TREES = 200
_DRAWS = 512
LEAST_TRIALS = 5
# Left of all values: one that the weighting of a trial does not take.
_NOT_TAKEN = -1.0


@dataclasses.dataclass(frozen=True)
class Importance:
    """How much each hyperparameter moves an objective.

    Args:
        shares: Share of each hyperparameter, by name, the largest first. They
            sum to 1, or are all 0 if the objective never changes.
        explained: How well the forest that the shares are read from ranks
            trials: R2 on those that a tree was not grown on. Near 1 the shares
            can be trusted; near 0 or below, they say nothing.
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
    """Measures how much each hyperparameter moves an objective.

    A random forest learns the rank of the trials. The importance is the total
    effect of a hyperparameter in it: how much of the variance, over random
    points of the whole space, comes from this one, alone or together with
    others. So it does not matter where the tuner has looked most, and a trial
    that went far astray counts no more than the last but one.

    Args:
        trials: Trials; those that failed do not count.
        objective: The objective.
        space: The space of the trials.
        seed: Seed of the forest and of the points. Defaults to `0`.

    Returns:
        An `Importance`.

    Raises:
        ValueError: If fewer than five trials count.

    Reference:
        Hutter et al., "An Efficient Approach for Assessing Hyperparameter
        Importance", ICML 2014; Jansen, "Analysis of variance designs for model
        output", 1999, for the estimator.
    """
    counted = [trial for trial in trials if trial.completed]
    if len(counted) < LEAST_TRIALS:
        raise ValueError(
            f"{len(counted)} trials have completed; importance needs "
            f"{LEAST_TRIALS} or more, and says little below some ten for "
            "each hyperparameter."
        )
    ranks = rankdata([t.objectives[objective.name] for t in counted])
    if np.ptp(ranks) == 0:
        return Importance(dict.fromkeys(searched(space), 0.0), 0.0)
    forest = _grow(
        _columns(space, [trial.labels for trial in counted]), ranks, seed
    )
    effects = _total_effects(forest, space, np.random.default_rng(seed))
    whole = sum(effects.values())
    shares = {
        name: effect / whole if whole > 0 else 0.0
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
    """Half the mean square of what another value of one dimension changes."""
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


def _columns(
    space: SearchSpace, labels_of_trials: Sequence[Mapping]
) -> np.ndarray:
    """What the forest reads: numbers, and a column for each name."""
    found = []
    for name, along in positions(space, labels_of_trials).items():
        along = np.where(np.isnan(along), _NOT_TAKEN, along)
        dimension = space[name]
        if isinstance(dimension, Choices) and not dimension.is_ordered:
            places = [dimension.position(label) for label in dimension.labels]
            found += [(along == place).astype(float) for place in places]
        else:
            found.append(along)
    return np.stack(found, axis=1)
