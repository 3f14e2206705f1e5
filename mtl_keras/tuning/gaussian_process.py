"""Proposals from a Gaussian process, for KerasTuner's kinds of values."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from keras_tuner import oracles
from keras_tuner.engine.hyperparameters import Choice
from scipy import stats
from sklearn.gaussian_process import GaussianProcessRegressor, kernels

# Points that are compared, anywhere and near the best trials.
_ANYWHERE, _NEARBY = 512, 256
# How many of the best trials, and how far from them.
_BEST, _SPREADS = 5, (0.03, 0.1)


class GaussianProcessOracle(oracles.BayesianOptimizationOracle):
    """Proposes where the improvement that a Gaussian process expects is most.

    It takes the place of the search for a proposal in KerasTuner's oracle,
    which climbs the confidence bound from 50 points one by one: here some
    hundred points that can really be proposed are compared in one go, none of
    which was tried before. Names have a coordinate for each choice; each
    coordinate has a length scale of its own; noise is a part of the model. The
    first points are those of a Sobol sequence.

    Reference:
        Jones et al., "Efficient Global Optimization of Expensive Black-Box
        Functions", 1998.
    """

    def populate_space(self, trial_id: str) -> dict:
        """Proposes values. See `keras_tuner.Oracle.populate_space`."""
        ended = [t for t in self.trials.values() if t.status == "COMPLETED"]
        if len(ended) < self.num_initial_points:
            return self._first_points()
        candidates = [
            values
            for values in map(self._values, self._units(ended))
            if not self._duplicate(values)
        ]
        if not candidates:  # few points are left
            return self._random_populate_space()
        points = np.array([self._coordinates(values) for values in candidates])
        gains = self._expected_gains(ended, points)
        return _running(candidates[int(np.argmax(gains))])

    def _first_points(self) -> dict:
        dimensions = len(self._nonfixed_space())
        sequence = stats.qmc.Sobol(dimensions, seed=self.seed)
        number = len(self.trials)
        unit = sequence.random(1 << number.bit_length())[number]
        values = self._values(unit)
        if self._duplicate(values):
            return self._random_populate_space()
        return _running(values)

    def _units(self, ended) -> np.ndarray:
        """Points of the unit cube: anywhere, and near the best trials."""
        draws = self._random_state
        dimensions = len(self._nonfixed_space())
        best = sorted(ended, key=lambda trial: trial.score)[:_BEST]
        centers = np.array(
            [self._unit(trial.hyperparameters.values) for trial in best]
        )
        centers = centers[draws.randint(len(centers), size=_NEARBY)]
        spread = draws.choice(_SPREADS, size=(_NEARBY, 1))
        moved = centers + spread * draws.normal(size=centers.shape)
        # Some coordinates stay, others are drawn anew: a choice has no near.
        kind = draws.uniform(size=centers.shape)
        anew = draws.uniform(size=centers.shape)
        near = np.where(kind < 0.6, moved, np.where(kind < 0.8, anew, centers))
        anywhere = draws.uniform(size=(_ANYWHERE, dimensions))
        return np.concatenate([anywhere, np.clip(near, 0.0, 1.0)])

    def _expected_gains(self, ended, points: np.ndarray) -> np.ndarray:
        """Expected improvement over the best trial."""
        scores = np.array([trial.score for trial in ended])
        failed = [t for t in self.trials.values() if t.status == "FAILED"]
        tried = np.array(
            [
                self._coordinates(trial.hyperparameters.values)
                for trial in (*ended, *failed)
            ]
        )
        # As bad as the worst, so that others like them are avoided.
        scores = np.append(scores, [scores.max()] * len(failed))
        process = self._process(tried.shape[1]).fit(tried, scores)
        running = [
            self._coordinates(trial.hyperparameters.values)
            for trial in self.ongoing_trials.values()
        ]
        if running:  # as if they had ended with what is expected of them
            means = process.predict(np.array(running))
            tried = np.concatenate([tried, running])
            scores = np.concatenate([scores, means])
            process.set_params(kernel=process.kernel_, optimizer=None)
            process.fit(tried, scores)
        means, deviations = process.predict(points, return_std=True)
        best = process.predict(tried).min()
        deviations = np.maximum(deviations, 1e-12)
        gains = (best - means) / deviations
        return deviations * (
            gains * stats.norm.cdf(gains) + stats.norm.pdf(gains)
        )

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
        """Values of the hyperparameters that a point stands for."""
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
        """Where the process sees a point; what has no meaning is as usual."""
        found: list[float] = []
        for hp in self._nonfixed_space():
            value = values.get(hp.name, hp.default)
            if isinstance(hp, Choice) and not hp.ordered:
                # Any two are as far apart as the ends of a range.
                found += [0.5**0.5 * (value == each) for each in hp.values]
            else:
                found.append(hp.value_to_prob(value))
        return found


def _running(values: dict) -> dict:
    return {"status": "RUNNING", "values": values}
