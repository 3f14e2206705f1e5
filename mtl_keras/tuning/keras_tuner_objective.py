"""Objectives for the tuners of KerasTuner."""

from __future__ import annotations

from collections.abc import Iterable

import keras
import keras_tuner

from mtl_keras.spelling import did_you_mean
from mtl_keras.tasks.metric_directions import metric_direction, split_metric
from mtl_keras.training import MultiTaskModel
from mtl_keras.tuning.objective import (
    CONSTANTS,
    DELTA_M,
    DIRECTIONS,
    known_objectives,
)


def keras_tuner_objective(
    name: str,
    model: keras.Model | None = None,
    *,
    direction: str | None = None,
) -> keras_tuner.Objective:
    """Creates the objective of a KerasTuner tuner from a task's metric.

    KerasTuner cannot infer the direction of `"val_left_accuracy"`. This
    function infers it from the metric: `accuracy` is maximized for any task.

    Args:
        name: `"<task>_<metric>"` or `"<task>_loss"`, with or without `val_`.
        model: A compiled model, such as `hyper_model.default_model`, whose
            tasks have the metric and its direction. Defaults to `None`, which
            infers the direction from the name only.
        direction: `"min"` or `"max"`, for a custom metric. Defaults to the
            inferred direction.

    Returns:
        A `keras_tuner.Objective` of the validation metric.

    Raises:
        ValueError: If the model has no such metric, if the direction is
            unknown, or if the objective is not in the logs of `fit`.

    Example:

    >>> from mtl_keras import tuning
    >>> objective = tuning.keras_tuner_objective("left_accuracy")
    >>> objective.name, objective.direction
    ('val_left_accuracy', 'max')
    """
    plain = name.removeprefix("val_")
    if plain in (*CONSTANTS, DELTA_M):
        raise ValueError(
            f"objective {name!r} is computed by mtl_keras.tuning.search; "
            "KerasTuner reads its objective from the logs of fit. Name a "
            "metric such as 'left_accuracy', or call tuning.search."
        )
    if direction not in (None, *DIRECTIONS):
        raise ValueError(
            f"objective {name!r}: direction={direction!r}; expected one of "
            f"{DIRECTIONS}."
        )
    if isinstance(model, MultiTaskModel):
        known = {
            metric: direction
            for metric, direction in known_objectives(model).items()
            if metric not in (*CONSTANTS, DELTA_M)
        }
        if plain not in known:
            raise ValueError(
                f"Unknown objective {name!r}. {did_you_mean(plain, known)}"
            )
        direction = direction or known[plain]
    elif direction is None and plain == "loss":
        direction = "min"
    elif direction is None:
        found = split_metric(plain)
        direction = None if found is None else metric_direction(found[1])
    if direction is None:
        raise ValueError(
            f"objective {name!r}: the direction of this metric is unknown. "
            "Pass direction='max' if higher is better, else "
            "direction='min'."
        )
    return keras_tuner.Objective(f"val_{plain}", direction)


def check_tuner_objective(
    callbacks: Iterable | None, tasks: Iterable[str]
) -> None:
    """Raises an error if a tuner compares trials by the total loss.

    Args:
        callbacks: The callbacks that a tuner of KerasTuner passes to `fit`,
            one of which has the objective.
        tasks: Names of the tasks.

    Raises:
        keras_tuner.errors.FatalValueError: If the objective is the total loss.
            KerasTuner then stops the search.
    """
    for callback in callbacks or ():
        objective = getattr(callback, "objective", None)
        if not isinstance(objective, keras_tuner.Objective):
            continue
        for each in getattr(objective, "objectives", [objective]):
            if each.name in ("loss", "val_loss"):
                raise keras_tuner.errors.FatalValueError(
                    _total_loss(each.name, list(tasks))
                )


def _total_loss(name: str, tasks: list[str]) -> str:
    first = tasks[0]
    return (
        f"objective={name!r} is the weighted sum of the task losses, but the "
        "loss weights differ between trials: the trial with the smallest "
        "weights would win, whatever it has learned. Choose a metric of a "
        f"task, such as tuning.keras_tuner_objective('{first}_loss'), or "
        "optimize several tasks with tuning.search(..., "
        "objective='delta_m')."
    )
