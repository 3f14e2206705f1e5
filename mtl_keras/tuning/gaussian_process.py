"""Bayesian optimization of KerasTuner's hyperparameters."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from keras_tuner import oracles
from keras_tuner.engine.hyperparameters import Choice
from scipy import stats
from sklearn.gaussian_process import GaussianProcessRegressor, kernels

# Number of candidates in the whole space, and near the best trials.
_ANYWHERE, _NEARBY = 512, 256
# Number of best trials, and distances of candidates from them.
_BEST, _SPREADS = 5, (0.03, 0.1)


class GaussianProcessOracle(oracles.BayesianOptimizationOracle):
    """Proposes the point with the largest expected improvement.

    KerasTuner's oracle optimizes the confidence bound from 50 starting points,
    one by one. This one compares several hundred valid, untried points at
    once. Choices that are not numbers are encoded one-hot, each coordinate has
    a length scale, and the model includes noise. The first points are a Sobol
    sequence.

    Reference:
        Jones et al., "Efficient Global Optimization of Expensive Black-Box
        Functions", 1998.
    """

    def populate_space(self, trial_id: str) -> dict:
        """Proposes values. See `keras_tuner.Oracle.populate_space`."""
        completed = [t for t in self.trials.values() if t.status == "COMPLETED"]
        if len(completed) < self.num_initial_points:
            return self._initial_point()
        candidates = [
            values
            for values in map(self._values, self._candidates(completed))
            if not self._duplicate(values)
        ]
        if not candidates:  # few points are untried
            return self._random_populate_space()
        points = np.array([self._coordinates(values) for values in candidates])
        improvements = self._expected_improvements(completed, points)
        return _running(candidates[int(np.argmax(improvements))])

    def _initial_point(self) -> dict:
        dimensions = len(self._nonfixed_space())
        sequence = stats.qmc.Sobol(dimensions, seed=self.seed)
        number = len(self.trials)
        unit = sequence.random(1 << number.bit_length())[number]
        values = self._values(unit)
        if self._duplicate(values):
            return self._random_populate_space()
        return _running(values)

    def _candidates(self, completed) -> np.ndarray:
        """Draws points of the unit cube, also near the best trials."""
        rng = self._random_state
        dimensions = len(self._nonfixed_space())
        best = sorted(completed, key=lambda trial: trial.score)[:_BEST]
        centers = np.array(
            [self._unit(trial.hyperparameters.values) for trial in best]
        )
        centers = centers[rng.randint(len(centers), size=_NEARBY)]
        spread = rng.choice(_SPREADS, size=(_NEARBY, 1))
        moved = centers + spread * rng.normal(size=centers.shape)
        # Some coordinates are kept and others redrawn: a choice has no near
        # value.
        kind = rng.uniform(size=centers.shape)
        redrawn = rng.uniform(size=centers.shape)
        near = np.where(
            kind < 0.6, moved, np.where(kind < 0.8, redrawn, centers)
        )
        anywhere = rng.uniform(size=(_ANYWHERE, dimensions))
        return np.concatenate([anywhere, np.clip(near, 0.0, 1.0)])

    def _expected_improvements(
        self, completed, points: np.ndarray
    ) -> np.ndarray:
        """Computes the expected improvements over the best trial."""
        scores = np.array([trial.score for trial in completed])
        failed = [t for t in self.trials.values() if t.status == "FAILED"]
        tried = np.array(
            [
                self._coordinates(trial.hyperparameters.values)
                for trial in (*completed, *failed)
            ]
        )
        # Failed trials get the worst score, so that their region is avoided.
        scores = np.append(scores, [scores.max()] * len(failed))
        process = self._process(tried.shape[1]).fit(tried, scores)
        running = [
            self._coordinates(trial.hyperparameters.values)
            for trial in self.ongoing_trials.values()
        ]
        if running:  # as if they had completed with their predicted scores
            means = process.predict(np.array(running))
            tried = np.concatenate([tried, running])
            scores = np.concatenate([scores, means])
            process.set_params(kernel=process.kernel_, optimizer=None)
            process.fit(tried, scores)
        means, deviations = process.predict(points, return_std=True)
        best = process.predict(tried).min()
        deviations = np.maximum(deviations, 1e-12)
        z = (best - means) / deviations
        return deviations * (z * stats.norm.cdf(z) + stats.norm.pdf(z))

    def _process(self, dimensions: int) -> GaussianProcessRegressor:
        shape = kernels.Matern(np.full(dimensions, 0.5), (0.05, 20.0), nu=2.5)
        size = kernels.ConstantKernel(1.0, (0.05, 20.0))
        noise = kernels.WhiteKernel(1e-2, (1e-5, 1.0))
        return GaussianProcessRegressor(
            size * shape + noise,
            normalize_y=True,
            n_restarts_optimizer=1,
            random_state=self._random_state,
        )

    def _values(self, unit: np.ndarray) -> dict:
        """Converts a point of the unit cube to hyperparameter values."""
        values: dict = {}
        for hp, part in zip(self._nonfixed_space(), unit, strict=True):
            if all(condition.is_active(values) for condition in hp.conditions):
                values[hp.name] = hp.prob_to_value(part)
        return values

    def _unit(self, values: Mapping) -> list[float]:
        return [
            hp.value_to_prob(values.get(hp.name, hp.default))
            for hp in self._nonfixed_space()
        ]

    def _coordinates(self, values: Mapping) -> list[float]:
        """Returns the coordinates of a point; inactive values are defaults."""
        found: list[float] = []
        for hp in self._nonfixed_space():
            value = values.get(hp.name, hp.default)
            if isinstance(hp, Choice) and not hp.ordered:
                # Two choices are as far apart as the bounds of a range.
                found += [0.5**0.5 * (value == each) for each in hp.values]
            else:
                found.append(hp.value_to_prob(value))
        return found


def _running(values: dict) -> dict:
    return {"status": "RUNNING", "values": values}
