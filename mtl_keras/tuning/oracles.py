"""KerasTuner's oracles, with reproducible proposals."""

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
# Prefix of the entries that Hyperband adds to the values of a trial.
ORACLE_PREFIX = "tuner/"
_STATUSES = {"completed": "COMPLETED", "failed": "FAILED"}


class ReproducibleOracle:
    """Mixin for oracles whose proposals can be reproduced.

    A proposal depends only on the seed and on the trials so far, since each
    one reseeds the random numbers. The oracle therefore writes no files: after
    a kill, a new one continues once it is given the earlier trials.

    For several objectives, this implements ParEGO: each proposal minimizes the
    augmented Chebyshev distance with other random weights.

    Reference:
        Knowles, "ParEGO: A Hybrid Algorithm with On-Line Landscape
        Approximation for Expensive Multiobjective Optimization Problems", 2006.
    """

    # Whether each proposal weights the objectives at random.
    draws_weights = True
    # Whether a recorded proposal can be restored without computing it.
    is_stateless = True

    def begin_search(self, seed: int, objectives: Sequence[Objective]) -> None:
        """Sets the seed and objectives of the proposals.

        Args:
            seed: Seed of the search.
            objectives: The objectives.
        """
        self.seed = seed
        self.max_trials = None  # the search counts the trials
        self.max_consecutive_failed_trials = float("inf")
        self._max_collisions = 1000
        self._objectives = tuple(objectives)
        self._costs: dict[str, tuple[float, ...]] = {}
        self._recorded: dict | None = None
        self.verbose = 0

    def propose(
        self, worker: str, recorded: dict | None = None
    ) -> keras_tuner.engine.trial.Trial | None:
        """Proposes the next trial.

        Args:
            worker: Name of the worker that runs the trial.
            recorded: Values that were proposed for this trial before a kill,
                or `None`.

        Returns:
            A KerasTuner trial, or `None` if there is nothing to propose, now
            or at all.

        Raises:
            ValueError: If the proposal differs from the recorded one.
        """
        self._recorded = recorded
        trial = self.create_trial(worker)
        if trial.status != "RUNNING":
            return None
        if recorded not in (None, trial.hyperparameters.values):
            raise ValueError(
                f"Trial {trial.trial_id} was {recorded}, but would now be "
                f"{trial.hyperparameters.values}. The study was created by "
                "another version of KerasTuner; choose another name."
            )
        return trial

    def finish(
        self, trial_id: str, status: str, costs: tuple[float, ...] | None
    ) -> None:
        """Records the result of a trial.

        Args:
            trial_id: Number of the trial, as a string.
            status: `"completed"` or `"failed"`.
            costs: Costs of the objectives (lower is better), or `None`.
        """
        trial = self.trials[trial_id]
        trial.status = _STATUSES[status]
        if costs is not None:
            self._costs[trial_id] = costs
        if trial_id not in self.end_order:
            self.end_trial(trial)
        elif costs is not None:  # a failed trial that was run again
            self.score_trial(trial)

    def populate_space(self, trial_id: str) -> dict:
        """Proposes values. See `keras_tuner.Oracle.populate_space`."""
        if self._recorded is not None and self.is_stateless:
            return {"status": "RUNNING", "values": dict(self._recorded)}
        state = np.random.SeedSequence([self.seed, len(self.trials)])
        draws = state.generate_state(2)
        self._seed_state = int(draws[0])
        self._random_state = np.random.RandomState(draws[1])
        self._score_all(random.Random(int(draws[1])))
        # For such small problems, more threads would only wait for each other.
        with threadpool_limits(1), warnings.catch_warnings():
            # Raised by the Gaussian process.
            warnings.simplefilter("ignore", ConvergenceWarning)
            return super().populate_space(trial_id)

    def score_trial(self, trial) -> None:
        """Sets a first score. See `keras_tuner.Oracle.score_trial`."""
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

    # The journal of the search holds the trials.

    def save(self) -> None:
        """Writes nothing."""

    def _save_trial(self, trial) -> None:
        pass


class RandomOracle(ReproducibleOracle, oracles.RandomSearchOracle):
    """Proposes random points."""


class BayesianOracle(ReproducibleOracle, GaussianProcessOracle):
    """Proposes points by the expected improvement of a Gaussian process."""


class HyperbandOracle(ReproducibleOracle, oracles.HyperbandOracle):
    """Trains many trials for few epochs, and the best ones for more."""

    # All trials of a round are compared with the same weights.
    draws_weights = False
    is_stateless = False


class GridOracle(ReproducibleOracle, oracles.GridSearchOracle):
    """Proposes all points in order."""

    is_stateless = False


def make_oracle(
    tuner: str,
    space: SearchSpace,
    objectives: Sequence[Objective],
    *,
    epochs: int,
    seed: int,
):
    """Creates an oracle.

    Args:
        tuner: One of `TUNERS`.
        space: The search space.
        objectives: The objectives.
        epochs: Number of epochs of a trial; for Hyperband, the maximum.
        seed: Seed of all proposals.

    Raises:
        ValueError: If the tuner is unknown.
    """
    if tuner not in TUNERS:
        raise ValueError(
            f"Unknown tuner {tuner!r}. {did_you_mean(tuner, TUNERS)}"
        )
    hp = keras_tuner.HyperParameters()
    space.declare(hp)
    arguments = {
        "objective": keras_tuner.Objective("cost", "min"),
        "hyperparameters": hp,
        "seed": seed + 1,  # KerasTuner reads 0 as no seed
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
    """Computes augmented Chebyshev distances from the ideal point.

    Args:
        points: Costs, array of shape `(points, objectives)`. Each objective is
            scaled to the range of the points.
        weights: Weight of each objective; only their ratios matter.

    Returns:
        Array of shape `(points,)`.
    """
    low, high = points.min(axis=0), points.max(axis=0)
    scaled = (points - low) / np.where(high > low, high - low, 1.0)
    terms = scaled * weights / weights.sum()
    return terms.max(axis=1) + 0.05 * terms.sum(axis=1)
