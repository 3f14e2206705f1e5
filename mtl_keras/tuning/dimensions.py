"""The dimensions of a search space: ranges, choices and fixed values."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping
from typing import Any

import keras_tuner

from mtl_keras.tuning.dimension_texts import (
    Condition,
    describe_conditions,
    make_label,
    not_in_space,
)
from mtl_keras.tuning.plain_values import to_plain
from mtl_keras.tuning.step_errors import is_number, stepped_range

SCALES = ("linear", "log")
# A positive range that spans at least this factor gets a log scale.
_LOG_FROM = 10


@dataclasses.dataclass(frozen=True)
class Range:
    """Numbers from `low` to `high`, inclusive.

    Args:
        name: Name of the hyperparameter.
        low: Lower bound. If both bounds are integers, all values are.
        high: Upper bound.
        scale: `"linear"` or `"log"`.
        conditions: Pairs of another hyperparameter and its labels for which
            this one is active. Defaults to none.
    """

    name: str
    low: float
    high: float
    scale: str
    conditions: tuple[Condition, ...] = ()

    num_values = None

    @property
    def is_integer(self) -> bool:
        """Checks whether all values are integers."""
        return isinstance(self.low, int) and isinstance(self.high, int)

    @property
    def ends(self) -> tuple:
        """The lower and the upper bound."""
        return (self.low, self.high)

    def declare(self, hp: keras_tuner.HyperParameters) -> float:
        """Declares the hyperparameter, and returns its value in this trial."""
        kind = hp.Int if self.is_integer else hp.Float
        return kind(self.name, self.low, self.high, sampling=self.scale)

    def value(self, label) -> float:
        """Returns the value of a label; for numbers, the label itself."""
        return label

    def position(self, label: float) -> float:
        """Returns the position of a number in the range, from 0 to 1."""
        if self.scale == "log":
            span = math.log(self.high / self.low)
            return math.log(label / self.low) / span
        return (label - self.low) / (self.high - self.low)

    def at(self, quantile: float) -> float:
        """Returns a quantile of the random values.

        Args:
            quantile: Float in [0, 1).
        """
        # Each integer has an interval, including the last one.
        end = self.high + 1 if self.is_integer else self.high
        if self.scale == "log":
            found = self.low * (end / self.low) ** quantile
        else:
            found = self.low + (end - self.low) * quantile
        return math.floor(found) if self.is_integer else found

    def describe(self) -> str:
        """Returns the notation of the dimension in a space, for study files."""
        text = f"({self.low!r}, {self.high!r}, {self.scale!r})"
        return text + describe_conditions(self.conditions)


@dataclasses.dataclass(frozen=True)
class Choices:
    """One of several values of any kind.

    KerasTuner accepts numbers of one type, or strings. Other values have a
    label in its files.

    Args:
        name: Name of the hyperparameter.
        values: The values.
        conditions: See `Range`.
    """

    name: str
    values: tuple
    conditions: tuple[Condition, ...] = ()

    @property
    def num_values(self) -> int:
        """Number of values."""
        return len(self.values)

    @property
    def ends(self) -> tuple:
        """All values."""
        return self.values

    @property
    def labels(self) -> list:
        """The labels of the values in KerasTuner."""
        kinds = {type(value) for value in self.values}
        if len(kinds) == 1 and kinds <= {int, float, str, bool}:
            return list(self.values)
        if kinds == {int, float}:
            return [float(value) for value in self.values]
        return [make_label(value, at) for at, value in enumerate(self.values)]

    @property
    def is_ordered(self) -> bool:
        """Checks whether the choices are numbers, which have an order."""
        return all(
            isinstance(label, int | float) and not isinstance(label, bool)
            for label in self.labels
        )

    @property
    def ordered_labels(self) -> list:
        """The labels, in ascending order if they are numbers."""
        return sorted(self.labels) if self.is_ordered else self.labels

    def declare(self, hp: keras_tuner.HyperParameters):
        """Declares the hyperparameter, and returns its value in this trial."""
        label = hp.Choice(self.name, self.labels)
        # KerasTuner returns None if a condition does not hold.
        return None if label is None else self.value(label)

    def value(self, label):
        """Returns the value of a label."""
        if label not in self.labels:
            raise not_in_space(self.name, label, f"one of {self.labels}")
        return self.values[self.labels.index(label)]

    def position(self, label) -> float:
        """Returns the position of a choice in their order, from 0 to 1."""
        return self.ordered_labels.index(label) / (len(self.values) - 1)

    def at(self, quantile: float):
        """Returns a quantile of the random choices.

        Args:
            quantile: Float in [0, 1).
        """
        return self.ordered_labels[int(quantile * len(self.values))]

    def describe(self) -> str:
        """Returns the notation of the dimension in a space, for study files."""
        text = f"[{', '.join(map(repr, self.labels))}]"
        return text + describe_conditions(self.conditions)


@dataclasses.dataclass(frozen=True)
class Fixed:
    """A value that is the same in all trials.

    Args:
        name: Name of the hyperparameter.
        content: The value.
        conditions: See `Range`.
    """

    name: str
    content: Any
    conditions: tuple[Condition, ...] = ()

    num_values = 1

    @property
    def ends(self) -> tuple:
        """The value."""
        return (self.content,)

    def declare(self, hp: keras_tuner.HyperParameters):
        """Returns the value; the tuner has nothing to choose."""
        if hp.values.get(self.name, self.content) != self.content:
            found = hp.values[self.name]
            raise not_in_space(self.name, found, repr(self.content))
        return self.content

    def value(self, label):
        """Returns the value."""
        return self.content

    def describe(self) -> str:
        """Returns the notation of the dimension in a space, for study files."""
        text = make_label(self.content, None)
        return text + describe_conditions(self.conditions)


def read_dimension(name: str, given) -> Range | Choices | Fixed:
    """Reads one dimension of a space.

    Args:
        name: Name of the hyperparameter.
        given: One of:
            - `(low, high)` or `(low, high, "log")`: a range, also as a dict
              of `low`, `high` and `scale`.
            - Choices: a list, an array or a `range`.
            - A `Range`, `Choices` or `Fixed`, which gets the name.
            - Anything else: a fixed value.
            Numbers of NumPy become those of Python.

    Returns:
        A `Range`, `Choices` or `Fixed`.

    Raises:
        ValueError: If a range is reversed, not finite or has a step, or if a
            list is empty or has a duplicate.

    Example:

    >>> from mtl_keras.tuning.dimensions import read_dimension
    >>> read_dimension("learning_rate", (1e-4, 1e-2)).scale
    'log'
    >>> read_dimension("dropout", (0.0, 0.5)).scale
    'linear'
    """
    if isinstance(given, Range | Choices | Fixed):
        return dataclasses.replace(given, name=name)
    given = to_plain(given)
    if isinstance(given, list):
        return _read_choices(name, given)
    if isinstance(given, Mapping) and {"low", "high"} <= set(given):
        given = (given["low"], given["high"], *_read_scale(name, given))
    if not isinstance(given, tuple) or not _is_range(given):
        return Fixed(name, given)
    low, high, *scale = given
    if not (math.isfinite(low) and math.isfinite(high)):
        raise ValueError(f"{name}: the range {given} is not finite.")
    if low > high:
        raise ValueError(
            f"{name}: the range {given} begins above its end. Pass "
            f"({high}, {low}); for the fixed value {given}, pass [{given}]."
        )
    spans = low > 0 and high >= _LOG_FROM * low
    scale = scale[0] if scale else SCALES[spans]
    if scale not in SCALES:
        raise ValueError(
            f"{name}: the range {given} has the scale {scale!r}; expected one "
            f"of {SCALES}."
        )
    if scale == "log" and low <= 0:
        raise ValueError(
            f"{name}: the range {given} on a log scale begins at {low}; "
            "expected a positive number."
        )
    return Fixed(name, low) if low == high else Range(name, low, high, scale)


def _is_range(given: tuple) -> bool:
    numbers = given[:2]
    if len(numbers) < 2 or not all(map(is_number, numbers)):
        return False
    return len(given) == 2 or (len(given) == 3 and isinstance(given[2], str))


def _read_scale(name: str, given: Mapping) -> tuple:
    if "step" in given:
        bounds = (given["low"], given["high"], given["step"])
        raise stepped_range(name, dict(given), *bounds)
    unknown = set(given) - {"low", "high", "scale"}
    if unknown:
        raise ValueError(
            f"{name}: unknown keys {sorted(unknown)} of a range; expected "
            "'low', 'high' and 'scale'."
        )
    return (given["scale"],) if "scale" in given else ()


def _read_choices(name: str, values: list) -> Choices | Fixed:
    if not values:
        raise ValueError(f"{name}: the list of choices is empty.")
    if len(values) == 1:
        return Fixed(name, values[0])
    choices = Choices(name, tuple(values))
    labels = choices.labels
    if len(set(labels)) < len(labels):
        raise ValueError(f"{name}: {values} has a duplicate choice.")
    return choices
