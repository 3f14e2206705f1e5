"""A search space: dimensions by name, checked against a factory."""

from __future__ import annotations

import contextlib
import math
from collections.abc import Callable, Iterator, Mapping

import keras_tuner

from mtl_keras import weighting as weightings
from mtl_keras.spelling import did_you_mean
from mtl_keras.tuning.dimensions import (
    Choices,
    Condition,
    Fixed,
    Range,
    read_dimension,
)
from mtl_keras.tuning.factory_parameters import get_parameters
from mtl_keras.tuning.loss_weight_ratios import KINDS, PREFIX, check_weights
from mtl_keras.tuning.space_checks import (
    WEIGHTING,
    check_is_dict,
    check_names,
    check_not_empty,
)
from mtl_keras.tuning.step_checks import check_steps

ALL_WEIGHTS = "loss_weight"


class SearchSpace(Mapping):
    """The dimensions of a search, by name, checked against a factory.

    Args:
        factory: A callable that accepts the names as arguments.
        space: Dict from name to range, choices or fixed value.
        tasks: Names of the tasks, in order.
        loss_weights: `"ratios"` or `"plain"`, see `MultiTaskHyperModel`.

    Raises:
        TypeError: If `space` is not a dict.
        ValueError: If `space` is empty, or has an unknown name or an invalid
            value.
    """

    def __init__(
        self,
        factory: Callable,
        space: Mapping,
        tasks: tuple[str, ...],
        loss_weights: str = "ratios",
    ):
        if loss_weights not in KINDS:
            raise ValueError(
                f"loss_weights={loss_weights!r}; expected one of {KINDS}."
            )
        self.loss_weights = loss_weights
        self._names_arguments = True
        self._dimensions = {
            name: read_dimension(name, given)
            for name, given in _expand_weights(
                space, tasks, loss_weights
            ).items()
        }
        check_names(factory, self._dimensions, tasks)
        check_steps(factory, self._dimensions)
        self._check_weights(tasks)
        self._check_weighting_parameters()

    @classmethod
    def from_dimensions(
        cls, dimensions: Mapping[str, Range | Choices | Fixed]
    ) -> SearchSpace:
        """Creates a space whose names are not arguments of a factory.

        Args:
            dimensions: Dict from name to dimension.

        Raises:
            ValueError: If `dimensions` is empty.
        """
        check_not_empty(dimensions)
        space = cls.__new__(cls)
        space.loss_weights = "plain"
        space._names_arguments = False
        space._dimensions = dict(dimensions)
        return space

    def __getitem__(self, name: str) -> Range | Choices | Fixed:
        return self._dimensions[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._dimensions)

    def __len__(self) -> int:
        return len(self._dimensions)

    @property
    def weighted_tasks(self) -> dict[str, Range | Choices | Fixed]:
        """The dimensions of the loss weights, by task."""
        return {
            name.removeprefix(PREFIX): dimension
            for name, dimension in self.items()
            if name.startswith(PREFIX)
        }

    @property
    def varies_weights(self) -> bool:
        """Checks whether the loss weights differ between trials."""
        given = self.get("loss_weights")
        dimensions = [
            *self.weighted_tasks.values(),
            *([given] if given else []),
        ]
        return any(not isinstance(d, Fixed) for d in dimensions)

    @property
    def num_points(self) -> int | None:
        """Number of points, or `None` if there is a range of floats.

        Arguments of a weighting count even if another weighting is chosen.
        """
        counts = [
            d.high - d.low + 1
            if isinstance(d, Range) and d.is_integer
            else d.num_values
            for d in self.values()
        ]
        return None if None in counts else math.prod(counts)

    def declare(self, hp: keras_tuner.HyperParameters) -> dict:
        """Declares all hyperparameters, and returns their values."""
        values = {}
        for name, dimension in self._parents_first():
            with contextlib.ExitStack() as scopes:
                for parent, labels in self.conditions(name):
                    scope = hp.conditional_scope(parent, list(labels))
                    scopes.enter_context(scope)
                found = dimension.declare(hp)
            if self.is_active(name, hp.values):
                values[name] = found
        return values

    def values_from_labels(self, labels: Mapping) -> dict:
        """Returns the values of recorded labels.

        Args:
            labels: Dict from name to label, as in `TrialRecord.labels`.
        """
        return {
            name: dimension.value(labels.get(name))
            for name, dimension in self.items()
            if (name in labels or isinstance(dimension, Fixed))
            and self.is_active(name, labels)
        }

    def describe(self) -> dict[str, str]:
        """Returns the notation of each dimension, for study files."""
        return {name: d.describe() for name, d in sorted(self.items())}

    def conditions(self, name: str) -> tuple[Condition, ...]:
        """Lists the conditions under which a hyperparameter is active.

        Args:
            name: A name in the space.

        Returns:
            Pairs of another hyperparameter and its allowed labels. All
            conditions must hold.
        """
        chosen = self.get("weighting") if self._names_arguments else None
        if not name.startswith(WEIGHTING) or not isinstance(chosen, Choices):
            return self[name].conditions
        parameter = name.removeprefix(WEIGHTING)
        methods = tuple(
            label
            for label, value in zip(chosen.labels, chosen.values, strict=True)
            if parameter in _parameters(value)
        )
        return (("weighting", methods), *self[name].conditions)

    def is_active(self, name: str, labels: Mapping) -> bool:
        """Checks whether a hyperparameter is active in a trial.

        Args:
            name: A name in the space.
            labels: Labels of the trial, as in `TrialRecord.labels`.
        """
        return all(
            parent in labels and labels[parent] in allowed
            for parent, allowed in self.conditions(name)
        )

    def _parents_first(self) -> Iterator[tuple]:
        """Yields the dimensions, each after those that it depends on."""
        waiting = dict(self)
        while waiting:
            for name, dimension in list(waiting.items()):
                parents = {parent for parent, _ in self.conditions(name)}
                if not parents & set(waiting):
                    del waiting[name]
                    yield name, dimension

    def _check_weights(self, tasks: tuple[str, ...]) -> None:
        if not self.weighted_tasks:
            return
        if "loss_weights" in self:
            raise ValueError(
                "The space has loss_weights, and also "
                f"{PREFIX}<task> for {list(self.weighted_tasks)}. Leave one of "
                "the two out."
            )
        check_weights(self.weighted_tasks, tasks, self.loss_weights)

    def _check_weighting_parameters(self) -> None:
        chosen = self.get("weighting")
        methods = () if chosen is None else _contents(chosen)
        for method in methods:
            weightings.get(method)  # raises an error for an unknown one
        known = {name for method in methods for name in _parameters(method)}
        for name in self:
            parameter = name.removeprefix(WEIGHTING)
            if name.startswith(WEIGHTING) and parameter not in known:
                raise ValueError(
                    f"{name}: no weighting in the space has this argument. "
                    f"{did_you_mean(parameter, known)}"
                )


def _expand_weights(space: Mapping, tasks: tuple[str, ...], kind: str) -> dict:
    """Replaces `loss_weight` by an entry for each task."""
    check_is_dict(space)
    check_not_empty(space)
    space = dict(space)
    if ALL_WEIGHTS not in space:
        return space
    given = space.pop(ALL_WEIGHTS)
    varied = tasks[1:] if kind == "ratios" else tasks
    return {**space} | {
        PREFIX + task: space.get(PREFIX + task, given) for task in varied
    }


def _contents(dimension: Choices | Fixed | Range) -> tuple:
    if isinstance(dimension, Range):
        raise ValueError(
            "weighting: found a range of numbers; expected names of weightings."
        )
    return (
        (dimension.content,)
        if isinstance(dimension, Fixed)
        else dimension.values
    )


def _parameters(method) -> set[str]:
    """Returns the names of a weighting's arguments."""
    found = weightings.get(method)
    return set() if found is None else set(get_parameters(type(found))[0])
