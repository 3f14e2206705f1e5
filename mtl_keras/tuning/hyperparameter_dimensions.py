"""The dimensions that a `keras_tuner.HyperParameters` declares."""

from __future__ import annotations

import math

import keras_tuner
from keras_tuner.engine import hyperparameters as kinds

from mtl_keras.tuning.dimensions import Choices, Condition, Fixed, Range

# How far a step may miss the end of its range by rounding.
_ROUNDING = 1e-8


def read_hyperparameters(
    hp: keras_tuner.HyperParameters,
) -> dict[str, Range | Choices | Fixed]:
    """Reads the hyperparameters that were declared as dimensions of a space.

    A step becomes the list of its values. Defaults are not kept: a proposal
    follows from the tuner and its seed.

    Args:
        hp: The hyperparameters.

    Returns:
        Dict from name to dimension, in the order of declaration.

    Raises:
        ValueError: If a name is declared twice, or with
            `sampling="reverse_log"`.

    Example:

    >>> import keras_tuner
    >>> from mtl_keras.tuning.hyperparameter_dimensions import (
    ...     read_hyperparameters,
    ... )
    >>> hp = keras_tuner.HyperParameters()
    >>> _ = hp.Int("trunk_width", 16, 64, step=16)
    >>> read_hyperparameters(hp)["trunk_width"].values
    (16, 32, 48, 64)
    """
    found: dict[str, Range | Choices | Fixed] = {}
    for declared in hp.space:
        name = declared.name
        if name in found:
            raise ValueError(
                f"The hyperparameter {name!r} is declared twice, under "
                "different conditions. Give each its own name."
            )
        conditions = _conditions(declared, found)
        if conditions is None:
            continue
        found[name] = _dimension(declared, conditions)
    return found


def _conditions(declared, found) -> tuple[Condition, ...] | None:
    """Reads the conditions that can change; `None` if one never holds."""
    conditions = []
    for condition in declared.conditions:
        parent = found.get(condition.name)
        if parent is None:
            return None
        if not isinstance(parent, Fixed):
            conditions.append((condition.name, tuple(condition.values)))
        elif parent.content not in condition.values:
            return None
    return tuple(conditions)


def _dimension(declared, conditions) -> Range | Choices | Fixed:
    name = declared.name
    if isinstance(declared, kinds.Fixed):
        return Fixed(name, declared.value, conditions)
    if isinstance(declared, kinds.Boolean):
        return Choices(name, (False, True), conditions)
    if isinstance(declared, kinds.Choice):
        values = tuple(declared.values)
    elif _is_stepped(declared):
        values = _steps(declared)
    else:
        return _range(declared, conditions)
    if len(values) == 1:
        return Fixed(name, values[0], conditions)
    return Choices(name, values, conditions)


def _is_stepped(declared) -> bool:
    whole = isinstance(declared, kinds.Int) and declared.sampling == "linear"
    return declared.step not in (None, 1 if whole else None)


def _range(declared, conditions) -> Range | Fixed:
    name, scale = declared.name, declared.sampling
    low, high = declared.min_value, declared.max_value
    if scale == "reverse_log":
        raise ValueError(
            f"The hyperparameter {name!r} has sampling='reverse_log', which a "
            "search does not take. Declare what is left to the upper end with "
            "sampling='log', or pass a step."
        )
    if low == high:
        return Fixed(name, low, conditions)
    return Range(name, low, high, scale, conditions)


def _steps(declared) -> tuple:
    low, high, step = declared.min_value, declared.max_value, declared.step
    if declared.sampling == "linear":
        count = math.floor((high - low) / step + _ROUNDING) + 1
        return tuple(low + step * at for at in range(count))
    count = math.floor(math.log(high / low, step) + _ROUNDING) + 1
    values = tuple(low * step**at for at in range(count))
    if declared.sampling == "log":
        return values
    # As KerasTuner mirrors them: the small steps are at the upper end.
    return tuple(high + low - value for value in reversed(values))
