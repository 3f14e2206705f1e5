"""What a factory is called with in a trial."""

from __future__ import annotations

import copy
import dataclasses
from collections.abc import Callable, Mapping
from typing import Any

import keras

from mtl_keras import weighting as weightings
from mtl_keras.keras_compat import learning_rate_of
from mtl_keras.tuning.factory_arguments import arguments_of
from mtl_keras.tuning.layer_copy import copy_layer
from mtl_keras.tuning.loss_weight_ratios import PREFIX, from_ratios
from mtl_keras.tuning.space_checks import WEIGHTING


@dataclasses.dataclass(frozen=True)
class TrialArguments:
    """What a factory is called with in a trial, sorted by what it costs.

    Args:
        graph: Arguments on which the graph depends.
        loss_weights: Weights by task, or `None` if the space has none.
        learning_rate: The rate, or `None` if the space has none.
        optimizer: Config of the optimizer, or `None` for the factory's own.
        batch_size: For `fit`, or `None`.
    """

    graph: dict[str, Any]
    loss_weights: dict[str, float] | None
    learning_rate: float | None
    optimizer: dict | None
    batch_size: int | None

    def keywords(self, factory: Callable) -> dict[str, Any]:
        """Arguments of the factory, with fresh objects where it keeps them.

        Args:
            factory: The factory.
        """
        found = {name: _fresh(value) for name, value in self.graph.items()}
        if self.loss_weights is not None:
            found["loss_weights"] = dict(self.loss_weights)
        named, _ = arguments_of(factory)
        if self.learning_rate is not None and "learning_rate" in named:
            found["learning_rate"] = self.learning_rate
            if self.optimizer is not None:
                found["optimizer"] = keras.optimizers.get(self.optimizer)
        elif self.learning_rate is not None or self.optimizer is not None:
            found["optimizer"] = make_optimizer(
                self.optimizer, self.learning_rate
            )
        return found


def trial_arguments(
    values: Mapping[str, Any],
    own_weights: Mapping[str, float],
    kind: str = "ratios",
) -> TrialArguments:
    """Sorts the values of a trial.

    Args:
        values: Values by name in the space.
        own_weights: The tasks' own weights, by task, in order.
        kind: Whether the values of `loss_weight/<task>` are `"ratios"`
            (default) or `"plain"`.
    """
    values = dict(values)
    weights = {
        name.removeprefix(PREFIX): values.pop(name)
        for name in list(values)
        if name.startswith(PREFIX)
    }
    if weights and kind == "ratios":
        weights = from_ratios(weights, own_weights)
    if not weights:
        weights = values.pop("loss_weights", None)
    parameters = {
        name.removeprefix(WEIGHTING): values.pop(name)
        for name in list(values)
        if name.startswith(WEIGHTING)
    }
    if values.get("weighting") is not None:
        values["weighting"] = _weighting(values["weighting"], parameters)
    optimizer = values.pop("optimizer", None)
    return TrialArguments(
        learning_rate=values.pop("learning_rate", None),
        optimizer=None if optimizer is None else _config(optimizer),
        batch_size=values.pop("batch_size", None),
        loss_weights=weights,
        graph=values,
    )


def make_optimizer(
    config: dict | None, learning_rate: float | None
) -> keras.optimizers.Optimizer:
    """Makes a fresh optimizer.

    Args:
        config: Config of an optimizer, or `None` for Adam.
        learning_rate: Its rate, or `None` for what the config says.

    Raises:
        ValueError: If the config has a schedule, and a rate is given as well.
    """
    optimizer = keras.optimizers.get(copy.deepcopy(config) or "adam")
    if learning_rate is None:
        return optimizer
    if isinstance(
        learning_rate_of(optimizer),
        keras.optimizers.schedules.LearningRateSchedule,
    ):
        raise ValueError(
            "The space has a learning_rate, and the optimizer has a schedule "
            f"of it, {type(learning_rate_of(optimizer)).__name__}. Leave one "
            "of the two out."
        )
    return type(optimizer).from_config(
        {**optimizer.get_config(), "learning_rate": learning_rate}
    )


def _config(optimizer) -> dict:
    """A config that is the same for the same values."""
    config = keras.optimizers.serialize(keras.optimizers.get(optimizer))
    given = optimizer if isinstance(optimizer, Mapping) else {}
    named = isinstance(optimizer, keras.optimizers.Optimizer)
    if not named and "name" not in given.get("config", {}):
        # Keras numbers it: each trial would have a name of its own.
        config["config"].pop("name", None)
    return config


def _weighting(given, parameters: Mapping) -> dict:
    """A config that is the same for the same values."""
    if isinstance(given, str):
        config = {"class_name": given, "config": {}}
    elif isinstance(given, Mapping):
        config = {"config": {}, **given}
    else:
        config = weightings.serialize(weightings.get(given))
    taken = {
        name: value
        for name, value in parameters.items()
        if name in arguments_of(type(weightings.get(given)))[0]
    }
    return {**config, "config": {**config["config"], **taken}}


def _fresh(value):
    """Copies what a factory or a model could change for the next trial."""
    if isinstance(value, keras.layers.Layer):
        return copy_layer(value)
    if isinstance(value, list | tuple) and any(
        isinstance(each, keras.layers.Layer) for each in value
    ):
        return [_fresh(each) for each in value]
    return copy.deepcopy(value) if isinstance(value, dict | list) else value
