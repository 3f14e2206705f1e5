"""Converts the hyperparameters of KerasTuner to dimensions."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping

import keras_tuner
from keras_tuner.engine import hyperparameters as kinds

from mtl_keras.tuning.dimensions import Choices, Fixed, Range

# Rounding error that is allowed at the last step of a range.
_ROUNDING = 1e-8


def read_hyperparameters(
    hp: keras_tuner.HyperParameters, *, merge: bool = False
) -> dict[str, Range | Choices | Fixed]:
    """Converts declared hyperparameters to dimensions of a space.

    A range with a step becomes choices. Defaults are dropped: proposals depend
    on the tuner and its seed only.

    Args:
        hp: The hyperparameters.
        merge: Whether to merge the values of a name that is declared twice,
            and to read `"reverse_log"` as a linear range. This is enough to
            show finished trials. Defaults to `False`.

    Returns:
        Dict from name to dimension, in the order of declaration.

    Raises:
        ValueError: If `merge` is false, and a name is declared twice or with
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
        conditions = tuple(
            (condition.name, tuple(condition.values))
            for condition in declared.conditions
        )
        if _is_reversed(declared) and not merge:
            raise ValueError(
                f"The hyperparameter {name!r} has sampling='reverse_log', "
                "which a search does not support. Declare the distance to the "
                "upper bound with sampling='log', or pass a step."
            )
        dimension = _dimension(declared, conditions)
        if name not in found:
            found[name] = dimension
        elif merge:
            found[name] = _merge(found[name], dimension)
        else:
            raise ValueError(
                f"The hyperparameter {name!r} is declared twice, under "
                "different conditions. Give each another name."
            )
    return resolve_conditions(found)


def resolve_conditions(
    dimensions: Mapping[str, Range | Choices | Fixed],
) -> dict[str, Range | Choices | Fixed]:
    """Resolves the conditions that depend on fixed values.

    Args:
        dimensions: The dimensions, each after those that it depends on.

    Returns:
        The dimensions that can be active, with their remaining conditions.
    """
    found: dict[str, Range | Choices | Fixed] = {}
    for name, dimension in dimensions.items():
        parents = [found.get(parent) for parent, _ in dimension.conditions]
        pairs = list(zip(parents, dimension.conditions, strict=True))
        if any(
            parent is None
            or (isinstance(parent, Fixed) and parent.content not in labels)
            for parent, (_, labels) in pairs
        ):
            continue
        conditions = tuple(
            each for parent, each in pairs if not isinstance(parent, Fixed)
        )
        found[name] = dataclasses.replace(dimension, conditions=conditions)
    return found


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


def _is_reversed(declared) -> bool:
    sampling = getattr(declared, "sampling", None)
    return sampling == "reverse_log" and declared.step is None


def _range(declared, conditions) -> Range | Fixed:
    name, low, high = declared.name, declared.min_value, declared.max_value
    if low == high:
        return Fixed(name, low, conditions)
    scale = "linear" if _is_reversed(declared) else declared.sampling
    return Range(name, low, high, scale, conditions)


def _merge(
    first: Range | Choices | Fixed, second: Range | Choices | Fixed
) -> Range | Choices | Fixed:
    """Returns an unconditional dimension with the values of two."""
    ends = (*first.ends, *second.ends)
    if isinstance(first, Range) and isinstance(second, Range):
        return Range(first.name, min(ends), max(ends), first.scale)
    if isinstance(first, Range) or isinstance(second, Range):
        return Range(first.name, min(ends), max(ends), "linear")
    values = tuple(dict.fromkeys(ends))
    if len(values) == 1:
        return Fixed(first.name, *values)
    return Choices(first.name, values)


def _steps(declared) -> tuple:
    low, high, step = declared.min_value, declared.max_value, declared.step
    if declared.sampling == "linear":
        count = math.floor((high - low) / step + _ROUNDING) + 1
        return tuple(low + step * at for at in range(count))
    count = math.floor(math.log(high / low, step) + _ROUNDING) + 1
    values = tuple(low * step**at for at in range(count))
    if declared.sampling == "log":
        return values
    # Mirrored as in KerasTuner: the small steps are at the upper bound.
    return tuple(high + low - value for value in reversed(values))
