"""Converts the trials of a KerasTuner tuner to a study."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import keras
import keras_tuner

from mtl_keras.tuning.hyperparameter_dimensions import read_hyperparameters
from mtl_keras.tuning.keras_tuner_objective import keras_tuner_objective
from mtl_keras.tuning.multi_task_hyper_model import MultiTaskHyperModel
from mtl_keras.tuning.objective import (
    TOTAL_LOSS,
    Objective,
    objective_pairs,
)
from mtl_keras.tuning.oracles import ORACLE_PREFIX
from mtl_keras.tuning.search_space import SearchSpace
from mtl_keras.tuning.trial_arguments import TrialArguments
from mtl_keras.tuning.trial_record import COMPLETED, FAILED, TrialRecord

_STATUSES = {"COMPLETED": COMPLETED, "FAILED": FAILED, "INVALID": FAILED}
_TUNERS = {
    keras_tuner.BayesianOptimization: "bayesian",
    keras_tuner.GridSearch: "grid",
    keras_tuner.Hyperband: "hyperband",
    keras_tuner.RandomSearch: "random",
}
_VALIDATION = "val_"


@dataclasses.dataclass(frozen=True)
class _TunedHyperModel:
    """The part of a hypermodel that a study of finished trials needs.

    Args:
        factory: The function or hypermodel of the tuner.
        space: The declared hyperparameters.
    """

    factory: Any
    space: SearchSpace

    def arguments(self, values: Mapping) -> TrialArguments:
        """Returns the values of a trial, as passed to `build`."""
        return TrialArguments(dict(values), None, None, None, None)


def read_tuner(
    tuner: keras_tuner.Tuner, objective=None
) -> tuple[dict[str, Any], Callable[[TrialRecord], keras.Model]]:
    """Reads the trials of a tuner.

    Args:
        tuner: A tuner whose search has run. A new tuner with the same
            directory and project reloads the trials of another process.
        objective: See `Study.from_tuner`.

    Returns:
        The arguments of a `Study` by name, and a function that loads the
        model of a trial.

    Raises:
        TypeError: If `tuner` is not a tuner of KerasTuner.
        ValueError: If the trials have no such metric, or if its direction is
            unknown.
    """
    if not isinstance(tuner, keras_tuner.Tuner):
        raise TypeError(
            f"The tuner is {tuner!r} of type {type(tuner).__name__}; expected "
            "a tuner of KerasTuner, such as keras_tuner.RandomSearch."
        )
    hyper_model = _hyper_model(tuner)
    objectives, names = _objectives(tuner, objective)
    trials = {
        number: tuner.oracle.trials[trial_id]
        for number, trial_id in enumerate(tuner.oracle.start_order)
        if tuner.oracle.trials[trial_id].status in _STATUSES
    }
    records = [
        _record(number, trial, hyper_model, names)
        for number, trial in trials.items()
    ]
    factory = hyper_model.factory
    arguments = {
        "folder": Path(tuner.project_dir),
        "settings": {
            "factory": getattr(factory, "__name__", type(factory).__name__),
            "tuner": _TUNERS.get(type(tuner)),
            "executions_per_trial": tuner.executions_per_trial,
            "seed": tuner.oracle.seed,
            "loss_weights": hyper_model.space.loss_weights,
            "objectives": {each.name: each.direction for each in objectives},
            "space": hyper_model.space.describe(),
            # The tuner passed these to `fit` without recording them.
            **dict.fromkeys(("epochs", "batch_size", "patience")),
            **dict.fromkeys(("folds", "references")),
        },
        "objectives": objectives,
        "trials": records,
        "hyper_model": hyper_model,
        "references": {},
    }
    return arguments, lambda record: tuner.load_model(trials[record.number])


def _hyper_model(tuner) -> MultiTaskHyperModel | _TunedHyperModel:
    if isinstance(tuner.hypermodel, MultiTaskHyperModel):
        return tuner.hypermodel
    dimensions = read_hyperparameters(tuner.oracle.get_space(), merge=True)
    space = SearchSpace.from_dimensions(dimensions)
    build = getattr(tuner.hypermodel, "build", None)
    # KerasTuner wraps a function `build(hp)` in an internal class.
    is_function = getattr(build, "__self__", None) is None
    return _TunedHyperModel(build if is_function else tuner.hypermodel, space)


def _objectives(tuner, given) -> tuple[tuple[Objective, ...], dict[str, str]]:
    """Reads the objectives, and the names of their logs by objective."""
    asked = tuner.oracle.objective
    if given is None:
        found = getattr(asked, "objectives", [asked])
    else:
        model = getattr(tuner.hypermodel, "default_model", None)
        found = [
            keras_tuner_objective(name, model, direction=direction)
            for name, direction in objective_pairs(given)
        ]
    _check_total_loss(tuner, found)
    names = {each.name.removeprefix(_VALIDATION): each.name for each in found}
    return (
        tuple(
            Objective(each.name.removeprefix(_VALIDATION), each.direction)
            for each in found
        ),
        names,
    )


def _check_total_loss(tuner, objectives) -> None:
    names = [each.name.removeprefix(_VALIDATION) for each in objectives]
    varies = getattr(tuner.hypermodel, "varies_weights", False)
    if varies and TOTAL_LOSS in names:
        raise ValueError(
            "The total loss is the weighted sum of the task losses, but the "
            "loss weights differ between trials, so it cannot compare them. "
            "Pass objective='<task>_<metric>', or a list of several."
        )


def _record(
    number: int, trial, hyper_model, names: Mapping[str, str]
) -> TrialRecord:
    labels = {
        name: value
        for name, value in trial.hyperparameters.values.items()
        if not name.startswith(ORACLE_PREFIX) and name in hyper_model.space
    }
    values = hyper_model.space.values_from_labels(labels)
    record = TrialRecord(
        number=number,
        values=values,
        labels=labels,
        loss_weights=hyper_model.arguments(values).loss_weights,
        status=_STATUSES[trial.status],
    )
    if not record.completed:
        lines = (trial.message or "The tuner recorded no reason.").strip()
        reason = f"{lines.splitlines()[-1]}\n{lines}"
        return dataclasses.replace(record, reason=reason)
    logs = {
        name: float(trial.metrics.get_last_value(name))
        for name in trial.metrics.metrics
    }
    found = {name: _value(logs, log, number) for name, log in names.items()}
    metrics = {
        name.removeprefix(_VALIDATION): value
        for name, value in logs.items()
        if name.startswith(_VALIDATION)
    }
    return dataclasses.replace(
        record,
        objectives=found,
        metrics={n: v for n, v in metrics.items() if n not in found},
        epochs=float(trial.best_step) + 1,
    )


def _value(logs: Mapping[str, float], name: str, number: int) -> float:
    value = logs.get(name, math.nan)
    if math.isnan(value):
        known = sorted(n.removeprefix(_VALIDATION) for n in logs)
        raise ValueError(
            f"Trial {number} has no metric {name!r}; it has {known}. Pass one "
            "or several of these as the objective."
        )
    return value
