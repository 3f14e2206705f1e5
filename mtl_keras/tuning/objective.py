"""The objectives of a search: metrics, gains, parameters, latency."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping, Sequence

import keras
import keras_tuner

from mtl_keras.spelling import did_you_mean
from mtl_keras.tasks.metric_directions import metric_direction
from mtl_keras.training import MultiTaskModel
from mtl_keras.tuning.folds import unpack

DELTA_M, PARAMETERS, LATENCY = "delta_m", "parameters", "latency"
TOTAL_LOSS = "loss"
# Objectives that are the same in every epoch.
CONSTANTS = (PARAMETERS, LATENCY)
_ALWAYS_KNOWN = {DELTA_M: "max", PARAMETERS: "min", LATENCY: "min"}
DIRECTIONS = ("min", "max")


@dataclasses.dataclass(frozen=True)
class Objective:
    """A number that trials are compared by.

    Args:
        name: `<task>_<metric>` on the validation data, `"delta_m"`,
            `"parameters"` or `"latency"`.
        direction: `"min"` or `"max"`.
    """

    name: str
    direction: str

    def cost(self, value: float) -> float:
        """Returns the value, negated if higher is better."""
        return value if self.direction == "min" else -value

    @property
    def is_constant(self) -> bool:
        """Checks whether the value is the same in every epoch."""
        return self.name in CONSTANTS


def known_objectives(model: keras.Model, batch=None) -> dict[str, str | None]:
    """Lists the objectives of a model.

    Args:
        model: A compiled model.
        batch: Validation data to evaluate, which finds the metrics of a plain
            Keras model.

    Returns:
        Dict from name to direction, or to `None` if the user must specify it.
    """
    found: dict[str, str | None] = dict(_ALWAYS_KNOWN)
    if not isinstance(model, MultiTaskModel):
        del found[DELTA_M]
        x, y, weights = unpack(batch)
        logs = model.evaluate(
            x, y, sample_weight=weights, verbose=0, return_dict=True
        )
        return found | {
            name: "min" if name.split("_")[-1] == "loss" else None
            for name in logs
        }
    found[TOTAL_LOSS] = "min"
    for task in model.tasks:
        for metric in task.metrics:
            name = metric if isinstance(metric, str) else metric.name
            direction = None
            if name == task.primary_metric:
                direction = task.direction
            elif isinstance(metric, str):
                direction = metric_direction(metric)
            found[f"{task.name}_{name}"] = direction
        found[f"{task.name}_loss"] = "min"
    return found


def read_objectives(
    given,
    known: Mapping[str, str | None],
    *,
    weights_vary: bool,
) -> tuple[Objective, ...]:
    """Reads the objectives of a search.

    Args:
        given: A name, a pair of name and direction, a `keras_tuner.Objective`,
            a list of these, or a dict from name to direction. Names may begin
            with `val_`.
        known: The result of `known_objectives`.
        weights_vary: Whether the loss weights differ between trials.

    Returns:
        A tuple of one `Objective` or more.

    Raises:
        TypeError: If `given` has another type.
        ValueError: If a name is unknown, if a direction is missing or unknown,
            or if the total loss is an objective while loss weights vary.

    Example:

    >>> from mtl_keras.tuning.objective import read_objectives
    >>> known = {"left_accuracy": "max", "parameters": "min"}
    >>> read_objectives("val_left_accuracy", known, weights_vary=True)
    (Objective(name='left_accuracy', direction='max'),)
    """
    pairs = objective_pairs(given)
    if not pairs:
        raise ValueError(
            "objective is empty; expected a name such as 'delta_m', or a list."
        )
    objectives = tuple(
        _read(name, direction, known, weights_vary) for name, direction in pairs
    )
    names = [objective.name for objective in objectives]
    if len(set(names)) < len(names):
        raise ValueError(f"objective has a duplicate: {names}.")
    return objectives


def objective_names(given) -> list[str]:
    """Lists the names of the objectives, without `val_`.

    Args:
        given: See `read_objectives`.
    """
    return [name.removeprefix("val_") for name, _ in objective_pairs(given)]


def objective_pairs(given) -> list[tuple[str, str | None]]:
    """Lists the objectives as pairs of name and direction.

    Args:
        given: See `read_objectives`.
    """
    if isinstance(given, Mapping):
        return list(given.items())
    if isinstance(given, tuple) and len(given) == 2 and given[1] in DIRECTIONS:
        return [given]
    if not isinstance(given, list | tuple):
        given = [given]
    return [_pair(each) for each in given]


def _pair(given) -> tuple[str, str | None]:
    if isinstance(given, str):
        return given, None
    if isinstance(given, keras_tuner.Objective):
        return given.name, given.direction
    if isinstance(given, Objective):
        return given.name, given.direction
    if isinstance(given, tuple | list) and len(given) == 2:
        return tuple(given)
    raise TypeError(
        f"objective is {given!r} of type {type(given).__name__}; expected a "
        "name such as 'delta_m', a pair such as ('left_accuracy', 'max'), or a "
        "list of these."
    )


def _read(
    given: str,
    direction: str | None,
    known: Mapping[str, str | None],
    weights_vary: bool,
) -> Objective:
    name = given.removeprefix("val_")
    if name not in known:
        raise ValueError(
            f"Unknown objective {given!r}. {did_you_mean(name, known)}"
        )
    if name == TOTAL_LOSS and weights_vary:
        others = sorted(set(known) - {TOTAL_LOSS})
        raise ValueError(
            f"objective={given!r} is the weighted sum of the task losses, but "
            "the loss weights differ between trials: the trial with the "
            "smallest weights would win, whatever it has learned. Choose "
            f"'delta_m', or one or several of {others}."
        )
    direction = direction or known[name]
    if direction is None:
        raise ValueError(
            f"objective {given!r}: its direction is unknown. Pass it, as in "
            f"({name!r}, 'max')."
        )
    if direction not in DIRECTIONS:
        raise ValueError(
            f"objective {given!r}: direction {direction!r}; expected one of "
            f"{DIRECTIONS}."
        )
    return Objective(name, direction)


def delta_m(
    values: Mapping[str, float],
    references: Mapping[str, float],
    directions: Mapping[str, str],
) -> float:
    """Computes the mean relative gain of several tasks over references.

    Args:
        values: Dict from task to its metric.
        references: Dict from task to the metric of its single-task model.
        directions: Dict from task to `"min"` or `"max"`.

    Returns:
        A fraction: 0.03 is a gain of 3 %. Negative values are losses.

    Reference:
        Maninis et al., "Attentive Single-Tasking of Multiple Tasks", CVPR
        2019.

    Example:

    >>> from mtl_keras.tuning.objective import delta_m
    >>> values = {"digit": 0.9, "depth": 2.0}
    >>> references = {"digit": 0.9, "depth": 2.5}
    >>> round(delta_m(values, references, {"digit": "max", "depth": "min"}), 6)
    0.1
    """
    gains = []
    for task, reference in references.items():
        if reference == 0 or not math.isfinite(reference):
            raise ValueError(
                f"Task {task!r}: its single-task reference is {reference}, so "
                "the relative gain is undefined. Train longer, or choose the "
                "metrics of the tasks as objectives."
            )
        sign = 1 if directions[task] == "max" else -1
        gains.append(sign * (values[task] - reference) / abs(reference))
    return math.fsum(gains) / len(gains)


def costs(
    values: Mapping[str, float], objectives: Sequence[Objective]
) -> tuple[float, ...]:
    """Returns the values of the objectives as costs (lower is better).

    Args:
        values: Dict from name of an objective to its value.
        objectives: The objectives.
    """
    return tuple(o.cost(values[o.name]) for o in objectives)
