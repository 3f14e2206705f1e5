"""Checks the arguments of a search."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import keras
import keras_tuner
import tensorflow as tf

from mtl_keras import distribution as distributions
from mtl_keras.distribution.workers import has_several_workers
from mtl_keras.tuning.callback_list import read_callbacks
from mtl_keras.tuning.fingerprint import make_fingerprint
from mtl_keras.tuning.fold_indices import describe_folds
from mtl_keras.tuning.folds import (
    Part,
    as_arrays,
    read_own_folds,
    split_parts,
    unpack,
)
from mtl_keras.tuning.make_hyper_model import HyperModel, make_hyper_model
from mtl_keras.tuning.objective import (
    DELTA_M,
    TOTAL_LOSS,
    Objective,
    known_objectives,
    objective_names,
    read_objectives,
)
from mtl_keras.tuning.oracles import make_oracle
from mtl_keras.tuning.preflight import (
    check_monitors,
    check_optimizer,
    check_parts,
    check_streams,
)
from mtl_keras.tuning.search_settings import (
    check_counts,
    describe_search,
    resolve_max_trials,
)
from mtl_keras.tuning.search_space import SearchSpace
from mtl_keras.tuning.study_recipe import StudyRecipe
from mtl_keras.tuning.trial_runner import TrialRunner


@dataclasses.dataclass(frozen=True)
class SearchPlan:
    """A checked search, except for its folder and executor.

    Args:
        hyper_model: The hypermodel, which builds the models.
        objectives: The objectives.
        runner: The `TrialRunner`, which trains the models of a trial.
        oracle: The oracle, which proposes trials.
        settings: Settings of the search, see `describe_search`.
        max_trials: Number of trials, or `None` for all trials of the oracle.
        epochs: Maximum number of epochs of a trial.
        references: Dict from task to the metric of its single-task model, or
            `None`.
        recipe: The study file of the search, or `None`.
        fingerprint: Data, callbacks and factory, see `make_fingerprint`.
    """

    hyper_model: HyperModel
    objectives: tuple[Objective, ...]
    runner: TrialRunner
    oracle: Any
    settings: Mapping[str, Any]
    max_trials: int | None
    epochs: int
    references: Mapping[str, float] | None
    recipe: StudyRecipe | None = None
    fingerprint: Mapping[str, Any] = dataclasses.field(default_factory=dict)


def plan_search(
    factory: Callable[..., keras.Model] | keras_tuner.HyperModel,
    space: Mapping | keras_tuner.HyperParameters | None,
    train,
    validation=None,
    *,
    objective,
    tuner: str = "bayesian",
    max_trials: int | None = None,
    epochs: int = 10,
    patience: int | None = 5,
    batch_size: int = 32,
    executions_per_trial: int = 1,
    folds=None,
    validation_split: float = 0.0,
    callbacks: keras.callbacks.Callback
    | Sequence[keras.callbacks.Callback]
    | None = None,
    references: Mapping[str, float] | None = None,
    merge: bool = True,
    loss_weights: str = "ratios",
    distribution: str | tf.distribute.Strategy = "auto",
    replicas: int | None = None,
    seed: int = 0,
) -> SearchPlan:
    """Checks the arguments of a search. See `mtl_keras.tuning.search`."""
    counts = {
        "epochs": epochs,
        "patience": patience,
        "batch_size": batch_size,
        "executions_per_trial": executions_per_trial,
        "seed": seed,
    }
    check_counts(**counts)
    callbacks = read_callbacks(callbacks)
    strategy = _strategy(distribution, replicas)
    with strategy.scope():
        hyper_model = make_hyper_model(
            factory, space, merge=merge, loss_weights=loss_weights
        )
    if not hyper_model.has_custom_fit:
        check_streams(train, validation)
    train, validation = as_arrays(train), as_arrays(validation)
    folds = read_own_folds(folds, train)
    parts = split_parts(train, validation, folds, seed, validation_split)
    _check_batch_size(hyper_model.space, parts[0])
    check_optimizer(hyper_model)
    known = known_objectives(hyper_model.default_model, parts[0].validation)
    objectives = read_objectives(
        objective,
        known,
        # Some hypermodels must build models to find this out.
        weights_vary=TOTAL_LOSS in objective_names(objective)
        and hyper_model.varies_weights,
    )
    _check_references(references, objectives)
    check_parts(hyper_model, parts)
    check_monitors(hyper_model, callbacks, known)
    settings = describe_search(
        hyper_model,
        objectives,
        train,
        tuner=tuner,
        folds=describe_folds(folds),
        validation_split=validation_split,
        references=references,
        **counts,
    )
    return SearchPlan(
        hyper_model=hyper_model,
        objectives=objectives,
        oracle=make_oracle(
            tuner, hyper_model.space, objectives, epochs=epochs, seed=seed
        ),
        max_trials=resolve_max_trials(max_trials, tuner, hyper_model.space),
        runner=_runner(
            hyper_model, parts, objectives, strategy, counts, callbacks
        ),
        settings=settings,
        epochs=epochs,
        references=references,
        fingerprint=make_fingerprint(
            hyper_model.factory, train, validation, callbacks
        ),
    )


def _runner(
    hyper_model, parts, objectives, strategy, counts, callbacks
) -> TrialRunner:
    return TrialRunner(
        hyper_model,
        parts,
        objectives,
        executions=counts["executions_per_trial"],
        seed=counts["seed"],
        strategy=strategy,
        fit={
            "batch_size": counts["batch_size"],
            "callbacks": callbacks,
        },
        patience=counts["patience"],
    )


def _check_references(references, objectives: Sequence[Objective]) -> None:
    names = [objective.name for objective in objectives]
    if references is not None and DELTA_M not in names:
        raise ValueError(
            f"references are for the objective {DELTA_M!r}, but the objectives "
            f"are {names}. Leave references out, or add {DELTA_M!r}."
        )


def _check_batch_size(space: SearchSpace, part: Part) -> None:
    _, y, _ = unpack(part.train)
    if y is None and "batch_size" in space:
        kind = type(part.train).__name__.lstrip("_")
        raise ValueError(
            f"The space names batch_size, but the training data is a {kind} "
            "that already has batches, so all trials would train on the same "
            "ones. Leave batch_size out, or pass arrays, (x, y)."
        )


def _strategy(distribution, replicas: int | None) -> tf.distribute.Strategy:
    strategy = distributions.strategy(distribution, replicas)
    if has_several_workers(strategy):
        raise ValueError(
            "A search trains on the devices of one host, but the strategy has "
            "several workers. Pass distribution='mirrored' or 'none'."
        )
    return strategy
