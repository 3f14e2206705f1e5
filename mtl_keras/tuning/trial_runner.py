"""Trains the models of a trial."""

from __future__ import annotations

import copy
import functools
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from mtl_keras.tuning.best_epoch import KeepBestEpoch
from mtl_keras.tuning.folds import Part, unpack
from mtl_keras.tuning.make_hyper_model import HyperModel
from mtl_keras.tuning.objective import (
    DELTA_M,
    LATENCY,
    PARAMETERS,
    Objective,
    costs,
    delta_m,
)
from mtl_keras.tuning.trial_arguments import TrialArguments
from mtl_keras.tuning.trial_result import read_result

_LATENCY_CALLS = 30


class TrialRunner:
    """Trains a model once for each execution and fold.

    Args:
        hyper_model: The hypermodel, which builds the models.
        parts: The data: a part for each fold.
        objectives: The objectives, which choose the best epoch.
        executions: Number of trainings of a trial on each part.
        seed: Seed of the search.
        strategy: Strategy of each training.
        fit: Arguments of `keras.Model.fit`, such as `batch_size` and
            `callbacks`. Callbacks are copied for each training.
        patience: Number of epochs without improvement after which a training
            stops, or `None` to train all epochs.
    """

    def __init__(
        self,
        hyper_model: HyperModel,
        parts: Sequence[Part],
        objectives: Sequence[Objective],
        *,
        executions: int = 1,
        seed: int = 0,
        strategy: tf.distribute.Strategy,
        fit: Mapping[str, Any],
        patience: int | None = None,
    ):
        self.hyper_model = hyper_model
        self.parts = list(parts)
        self.objectives = tuple(objectives)
        self.executions = executions
        self.seed = seed
        self.strategy = strategy
        self.fit_arguments = dict(fit)
        self.patience = patience
        # Metrics of single-task models by task, for `delta_m`.
        self.references: dict[str, float] = {}

    @property
    def constructor_arguments(self) -> dict[str, Any]:
        """Arguments of the constructor, except for model and strategy."""
        return {
            "parts": self.parts,
            "objectives": self.objectives,
            "executions": self.executions,
            "seed": self.seed,
            "fit": self.fit_arguments,
            "patience": self.patience,
        }

    def run(
        self, number: int, arguments: TrialArguments, epochs: int
    ) -> tuple[dict, list[np.ndarray]]:
        """Trains the models of a trial.

        Args:
            number: Number of the trial, which determines its seeds.
            arguments: The arguments of the factory.
            epochs: Number of epochs.

        Returns:
            The fields of a `TrialRecord`, and the weights of the first model
            at its best epoch.
        """
        started = time.monotonic()
        results, kept = [], None
        for execution in range(self.executions):
            for fold, part in enumerate(self.parts):
                seed = self.training_seed(number, execution, fold)
                model = self.build(arguments, seed)
                try:
                    result = self.train(model, part, seed, epochs, arguments)
                except BaseException:
                    self.hyper_model.forget(model)
                    raise
                results.append(result)
                kept = model.get_weights() if kept is None else kept
                self.hyper_model.release(model)
        names = [objective.name for objective in self.objectives]
        record = {
            "objectives": _mean(results, names),
            "metrics": _mean(
                results, [n for n in results[0] if n not in names]
            ),
            "deviations": _deviations(results, names),
            "seconds": round(time.monotonic() - started, 3),
        }
        record["epochs"] = record["metrics"].pop("best_epoch")
        return record, kept

    def training_seed(self, number: int, execution: int, fold: int) -> int:
        """Returns the seed of a training."""
        entropy = [self.seed, number, execution, fold]
        return int(np.random.SeedSequence(entropy).generate_state(1)[0] >> 1)

    def build(self, arguments: TrialArguments, seed: int) -> keras.Model:
        """Builds a model with the initial weights of a seed."""
        keras.utils.set_random_seed(seed)
        with self.strategy.scope():
            return self.hyper_model.build_trial(arguments)

    def train(
        self,
        model: keras.Model,
        part: Part,
        seed: int,
        epochs: int,
        arguments: TrialArguments,
    ) -> dict[str, float]:
        """Trains a model, and restores its best epoch.

        Args:
            model: The model.
            part: Training and validation data.
            seed: Seed of shuffling and dropout.
            epochs: Number of epochs.
            arguments: The arguments of the trial.

        Returns:
            The objectives and all validation metrics of the best epoch.
        """
        constants = self._constants(model, part)

        def values(logs: Mapping[str, float]) -> dict[str, float]:
            metrics = {
                name.removeprefix("val_"): value
                for name, value in logs.items()
                if name.startswith("val_")
            }
            if self.references:
                metrics[DELTA_M] = self._gain(model, metrics)
            return {**metrics, **constants}

        best = KeepBestEpoch(
            lambda logs: costs(values(logs), self.objectives), self.patience
        )
        fit = dict(self.fit_arguments)
        if arguments.batch_size is not None:
            fit["batch_size"] = arguments.batch_size
        method = functools.partial(self.hyper_model.fit_trial, arguments, model)
        returned = fit_model(
            model, part, seed, best, method=method, epochs=epochs, **fit
        )
        if isinstance(returned, Mapping | int | float | list | tuple):
            found = values(read_result(returned, self.objectives))
            return {**found, "best_epoch": float(epochs)}
        if best.epoch is None:
            names = [objective.name for objective in self.objectives]
            raise ValueError(
                f"No epoch has a value of {names}. A custom HyperModel.fit "
                "must pass its callbacks on to model.fit, or return a dict "
                "of the objectives."
            )
        return {**values(best.logs), "best_epoch": best.epoch + 1}

    def _gain(self, model, metrics: Mapping[str, float]) -> float:
        primary = {t.name: t.primary_metric for t in model.tasks}
        found = {n: metrics[f"{n}_{primary[n]}"] for n in self.references}
        directions = {task.name: task.direction for task in model.tasks}
        return delta_m(found, self.references, directions)

    def _constants(self, model: keras.Model, part: Part) -> dict[str, float]:
        names = [objective.name for objective in self.objectives]
        found = {PARAMETERS: float(model.count_params())}
        if LATENCY in names:
            found[LATENCY] = latency(model, part.validation)
        return found


def fit_model(
    model: keras.Model,
    part: Part,
    seed: int,
    last: keras.callbacks.Callback,
    *,
    method: Callable | None = None,
    **fit,
):
    """Trains a model with a seed.

    Args:
        model: The model.
        part: Training and validation data.
        seed: Seed of shuffling and dropout.
        last: Callback to call after those of the user.
        method: Function to call instead of `model.fit`. Defaults to `None`.
        **fit: Arguments of `keras.Model.fit`.

    Returns:
        A `keras.callbacks.History`, or the result of `method`.
    """
    arguments = dict(fit)
    arguments["callbacks"] = [
        *copy.deepcopy(list(arguments.pop("callbacks", ()))),
        last,
    ]
    keras.utils.set_random_seed(seed)
    x, y, weights = unpack(part.train)
    if y is None:  # a stream is already batched
        arguments.pop("batch_size", None)
    return (model.fit if method is None else method)(
        x,
        y,
        sample_weight=weights,
        validation_data=part.validation,
        verbose=0,
        **arguments,
    )


def latency(model: keras.Model, data) -> float:
    """Measures the latency of one sample.

    Args:
        model: The model.
        data: Data, whose first sample is used.

    Returns:
        The median of several calls, in milliseconds.
    """
    x = data[0] if isinstance(data, tuple) else next(iter(data))[0]
    sample = keras.tree.map_structure(
        lambda array: tf.convert_to_tensor(array[:1]), x
    )
    call = tf.function(lambda inputs: model(inputs, training=False))
    call(sample)
    times = []
    for _ in range(_LATENCY_CALLS):
        started = time.perf_counter()
        keras.tree.map_structure(lambda output: output.numpy(), call(sample))
        times.append(time.perf_counter() - started)
    return 1000 * float(np.median(times))


def _mean(results: Sequence[Mapping], names) -> dict[str, float]:
    return {n: float(np.mean([r[n] for r in results])) for n in names}


def _deviations(results: Sequence[Mapping], names) -> dict[str, float]:
    if len(results) < 2:
        return {}
    return {n: float(np.std([r[n] for r in results], ddof=1)) for n in names}
