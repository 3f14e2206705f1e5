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
        hyper_model: Builds the models.
        parts: What to train and validate on: a fold each.
        objectives: What the best epoch is chosen by.
        executions: Number of trainings of a trial on each part.
        seed: Seed of the search.
        strategy: Strategy that each training is spread over.
        fit: Arguments of `keras.Model.fit`: `batch_size`, `callbacks` and so
            on. Callbacks are copied for each training.
        patience: Epochs to wait for a better one, or `None` for ever.
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
        # Metrics of single-task models, by task; for `delta_m`.
        self.references: dict[str, float] = {}

    @property
    def constructor_arguments(self) -> dict[str, Any]:
        """Arguments to make another one, but for the model and strategy."""
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
            number: Number of the trial, from which its seeds follow.
            arguments: What the factory is called with.
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
                self.hyper_model.give_back(model)
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
        """Returns the seed of a training: of weights, order and dropout."""
        entropy = [self.seed, number, execution, fold]
        return int(np.random.SeedSequence(entropy).generate_state(1)[0] >> 1)

    def build(self, arguments: TrialArguments, seed: int) -> keras.Model:
        """Builds a model whose initial weights follow from a seed."""
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
        """Trains a model, and leaves it at its best epoch.

        Args:
            model: The model.
            part: What to train and validate on.
            seed: Seed of the order of samples and of dropout.
            epochs: Number of epochs.
            arguments: The arguments of the trial.

        Returns:
            The objectives and all validation metrics of that epoch.
        """
        constants = self._constants(model, part)

        def values(logs: Mapping[str, float]) -> dict[str, float]:
            of_epoch = {
                name.removeprefix("val_"): value
                for name, value in logs.items()
                if name.startswith("val_")
            }
            if self.references:
                of_epoch[DELTA_M] = self._gain(model, of_epoch)
            return {**of_epoch, **constants}

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
                f"No epoch has a number for {names}. A HyperModel.fit of your "
                "own passes its callbacks on to model.fit, or returns a dict "
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
    """Trains a model by a seed.

    Args:
        model: The model.
        part: What to train and validate on.
        seed: Seed of the order of samples.
        last: Callback that comes after the user's.
        method: Takes the place of the model's `fit`. Defaults to `None`.
        **fit: Arguments of `keras.Model.fit`.

    Returns:
        A `keras.callbacks.History`, or what `method` returns.
    """
    arguments = dict(fit)
    arguments["callbacks"] = [
        *copy.deepcopy(list(arguments.pop("callbacks", ()))),
        last,
    ]
    keras.utils.set_random_seed(seed)
    x, y, weights = unpack(part.train)
    if y is None:  # a stream has batches of its own
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
    """Measures the time for one sample.

    Args:
        model: The model.
        data: Data whose first sample is taken.

    Returns:
        Milliseconds, the median of some calls.
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
