"""KerasTuner's oracles, whose proposals follow from the seed and the past."""

from __future__ import annotations

import random
import warnings
from collections.abc import Sequence

import keras_tuner
import numpy as np
from keras_tuner import oracles
from sklearn.exceptions import ConvergenceWarning
from threadpoolctl import threadpool_limits

from mtl_keras.spelling import did_you_mean
from mtl_keras.tuning.gaussian_process import GaussianProcessOracle
from mtl_keras.tuning.objective import Objective
from mtl_keras.tuning.search_space import SearchSpace

TUNERS = ("bayesian", "grid", "hyperband", "random")
# What Hyperband adds to the values of a trial.
OWN_PREFIX = "tuner/"
_STATUSES = {"completed": "COMPLETED", "failed": "FAILED"}


class FollowsFromThePast:
    """Mixin for oracles that keep nothing on the disk, and need not.

    What an oracle proposes is a function of the seed and of the trials so far:
    its random numbers begin anew with each proposal. So a search goes on after
    a kill by telling a new oracle what has happened.

    Several objectives are searched at once by ParEGO's scheme: each proposal
    looks for the least augmented Chebyshev distance under weights of its own.

    Reference:
        Knowles, "ParEGO: A Hybrid Algorithm with On-Line Landscape
        Approximation for Expensive Multiobjective Optimization Problems", 2006.
    """

    # Whether each proposal has other weights of the objectives.
    draws_weights = True
    # Whether what was proposed can be handed in and need not be found again.
    remembers_nothing = True

    def begin_search(self, seed: int, objectives: Sequence[Objective]) -> None:
        """Sets what a proposal follows from.

        Args:
            seed: Seed of the search.
            objectives: The objectives.
        """
        self.seed = seed
        self.max_trials = None  # the search counts
        self.max_consecutive_failed_trials = float("inf")
        self._max_collisions = 1000
        self._objectives = tuple(objectives)
        self._costs: dict[str, tuple[float, ...]] = {}
        self._recorded: dict | None = None
        self.verbose = 0

    def propose(
        self, worker: str, recorded: dict | None = None
    ) -> keras_tuner.engine.trial.Trial | None:
        """Makes the next trial.

        Args:
            worker: Name of who runs it.
            recorded: What was proposed here before a kill, if anything was.

        Returns:
            A KerasTuner trial; `None` if there is no more to try, now or at
            all.

        Raises:
            ValueError: If what was recorded is not what is proposed now.
        """
        self._recorded = recorded
        trial = self.create_trial(worker)
        if trial.status != "RUNNING":
            return None
        if recorded not in (None, trial.hyperparameters.values):
            raise ValueError(
                f"Trial {trial.trial_id} was {recorded}, and would now be "
                f"{trial.hyperparameters.values}. Another version of "
                "KerasTuner made the study; choose another name."
            )
        return trial

    def finish(
        self, trial_id: str, status: str, costs: tuple[float, ...] | None
    ) -> None:
        """Says how a trial ended.

        Args:
            trial_id: Its number.
            status: `"completed"` or `"failed"`.
            costs: The values of its objectives, of which less is better.
        """
        trial = self.trials[trial_id]
        trial.status = _STATUSES[status]
        if costs is not None:
            self._costs[trial_id] = costs
        self.end_trial(trial)

    def populate_space(self, trial_id: str) -> dict:
        """Proposes values. See `keras_tuner.Oracle.populate_space`."""
        if self._recorded is not None and self.remembers_nothing:
            return {"status": "RUNNING", "values": dict(self._recorded)}
        state = np.random.SeedSequence([self.seed, len(self.trials)])
        draws = state.generate_state(2)
        self._seed_state = int(draws[0])
        self._random_state = np.random.RandomState(draws[1])
        self._score_all(random.Random(int(draws[1])))
        # Its threads would spin beside each other: the problems are small.
        with threadpool_limits(1), warnings.catch_warnings():
            # Of the Gaussian process, on its way to the next point.
            warnings.simplefilter("ignore", ConvergenceWarning)
            return super().populate_space(trial_id)

    def score_trial(self, trial) -> None:
        """Scores a trial, for now. See `keras_tuner.Oracle.score_trial`."""
        trial.score = self._costs[trial.trial_id][0]
        trial.best_step = 0

    def _score_all(self, draws: random.Random) -> None:
        if len(self._objectives) == 1 or not self._costs:
            return
        weights = np.ones(len(self._objectives))
        if self.draws_weights:
            weights = np.array([draws.expovariate(1.0) for _ in weights])
        scores = chebyshev(np.array(list(self._costs.values())), weights)
        for trial_id, score in zip(self._costs, scores, strict=True):
            self.trials[trial_id].score = float(score)

    # The journal of the search is what is kept.

    def save(self) -> None:
        """Writes nothing."""

    def _save_trial(self, trial) -> None:
        pass


class RandomOracle(FollowsFromThePast, oracles.RandomSearchOracle):
    """Random points."""


class BayesianOracle(FollowsFromThePast, GaussianProcessOracle):
    """A Gaussian process and the improvement that it expects."""


class HyperbandOracle(FollowsFromThePast, oracles.HyperbandOracle):
    """Many trials of few epochs, and the best of them with more."""

    # Trials are compared with one another for a whole round.
    draws_weights = False
    remembers_nothing = False


class GridOracle(FollowsFromThePast, oracles.GridSearchOracle):
    """All points, one after the other."""

    remembers_nothing = False


def make_oracle(
    tuner: str,
    space: SearchSpace,
    objectives: Sequence[Objective],
    *,
    epochs: int,
    seed: int,
):
    """Makes an oracle.

    Args:
        tuner: One of `TUNERS`.
        space: The space.
        objectives: The objectives.
        epochs: Epochs of a trial; of Hyperband, at most.
        seed: Seed of all proposals.

    Raises:
        ValueError: If there is no such tuner.
    """
    if tuner not in TUNERS:
        raise ValueError(
            f"There is no tuner {tuner!r}. {did_you_mean(tuner, TUNERS)}"
        )
    hp = keras_tuner.HyperParameters()
    space.declare(hp)
    arguments = {
        "objective": keras_tuner.Objective("cost", "min"),
        "hyperparameters": hp,
        "seed": seed + 1,  # 0 would be none
    }
    if tuner == "hyperband":
        oracle = HyperbandOracle(max_epochs=epochs, **arguments)
    elif tuner == "bayesian":
        initial = max(5, 2 * len(hp.space))
        oracle = BayesianOracle(num_initial_points=initial, **arguments)
    else:
        kind = RandomOracle if tuner == "random" else GridOracle
        oracle = kind(**arguments)
    oracle.begin_search(seed, objectives)
    return oracle


def chebyshev(points: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Augmented Chebyshev distances from the best of each objective.

    Args:
        points: Array of shape `(points, objectives)`, of which less is better;
            scaled by what they span.
        weights: Importance of each objective; only ratios count.

    Returns:
        Array of shape `(points,)`.
    """
    low, high = points.min(axis=0), points.max(axis=0)
    scaled = (points - low) / np.where(high > low, high - low, 1.0)
    terms = scaled * weights / weights.sum()
    return terms.max(axis=1) + 0.05 * terms.sum(axis=1)
