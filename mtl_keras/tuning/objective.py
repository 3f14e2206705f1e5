"""What a search looks for: metrics of tasks, gains, parameters, latency."""

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
# What does not change from epoch to epoch.
CONSTANTS = (PARAMETERS, LATENCY)
_OF_EVERY_MODEL = {DELTA_M: "max", PARAMETERS: "min", LATENCY: "min"}
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
        """The value, with its sign changed where more is better."""
        return value if self.direction == "min" else -value

    @property
    def is_constant(self) -> bool:
        """Whether it is the same in all epochs."""
        return self.name in CONSTANTS


def known_objectives(model: keras.Model, batch=None) -> dict[str, str | None]:
    """Lists the objectives that a model has.

    Args:
        model: A compiled model.
        batch: For a plain Keras model, validation data to evaluate, which is
            how its metrics are found.

    Returns:
        Dict from name to direction, or to `None` where it must be said.
    """
    found: dict[str, str | None] = dict(_OF_EVERY_MODEL)
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
    """Reads what a search is to look for.

    Args:
        given: A name, a pair of name and direction, a `keras_tuner.Objective`,
            a list of these, or a dict from name to direction. Names may begin
            with `val_`.
        known: What `known_objectives` says.
        weights_vary: Whether trials differ in loss weights.

    Returns:
        One `Objective` or more.

    Raises:
        TypeError: If it is none of these.
        ValueError: If there is no such name, a direction is missing or wrong,
            or the total loss is asked for while loss weights vary.

    Example:

    >>> from mtl_keras.tuning.objective import read_objectives
    >>> known = {"left_accuracy": "max", "parameters": "min"}
    >>> read_objectives("val_left_accuracy", known, weights_vary=True)
    (Objective(name='left_accuracy', direction='max'),)
    """
    pairs = objective_pairs(given)
    if not pairs:
        raise ValueError(
            "objective is empty; expected a name such as 'delta_m', or several."
        )
    objectives = tuple(
        _read(name, direction, known, weights_vary) for name, direction in pairs
    )
    names = [objective.name for objective in objectives]
    if len(set(names)) < len(names):
        raise ValueError(f"objective names one twice: {names}.")
    return objectives


def objective_names(given) -> list[str]:
    """Lists what a search is to look for, without `val_`.

    Args:
        given: See `read_objectives`.
    """
    return [name.removeprefix("val_") for name, _ in objective_pairs(given)]


def objective_pairs(given) -> list[tuple[str, str | None]]:
    """Lists what a search is to look for, as pairs of name and direction.

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
            f"There is no objective {given!r}. {did_you_mean(name, known)}"
        )
    if name == TOTAL_LOSS and weights_vary:
        others = sorted(set(known) - {TOTAL_LOSS})
        raise ValueError(
            f"objective={given!r} is the sum of the task losses times their "
            "weights, and the weights are what varies: the trial with the "
            "lightest weights would win, whatever it has learned. Choose "
            f"'delta_m', or one or several of {others}."
        )
    direction = direction or known[name]
    if direction is None:
        raise ValueError(
            f"objective {given!r}: is more of it better, or less? Say so, as "
            f"in ({name!r}, 'max')."
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
    """Returns the mean relative gain of several tasks over references.

    Args:
        values: A metric by task.
        references: The same of a model that has only this task.
        directions: `"min"` or `"max"` by task.

    Returns:
        A fraction: 0.03 is a gain of 3 %, below 0 is a loss.

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
                f"Task {task!r}: its single-task reference is {reference}, and "
                "a gain relative to it is no number. Train longer, or choose "
                "the tasks' metrics as objectives."
            )
        sign = 1 if directions[task] == "max" else -1
        gains.append(sign * (values[task] - reference) / abs(reference))
    return math.fsum(gains) / len(gains)


def costs(
    values: Mapping[str, float], objectives: Sequence[Objective]
) -> tuple[float, ...]:
    """Returns numbers of which less is better.

    Args:
        values: A value for each objective, by name.
        objectives: The objectives.
    """
    return tuple(o.cost(values[o.name]) for o in objectives)
