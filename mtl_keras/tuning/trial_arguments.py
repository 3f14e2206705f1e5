"""The arguments of a factory in a trial."""

from __future__ import annotations

import copy
import dataclasses
from collections.abc import Callable, Mapping
from typing import Any

import keras

from mtl_keras import weighting as weightings
from mtl_keras.keras_compat import get_learning_rate
from mtl_keras.tuning.factory_parameters import get_parameters
from mtl_keras.tuning.layer_copy import copy_layer
from mtl_keras.tuning.loss_weight_ratios import PREFIX, from_ratios
from mtl_keras.tuning.space_checks import WEIGHTING


@dataclasses.dataclass(frozen=True)
class TrialArguments:
    """The arguments of a factory in a trial.

    They are separated into those that need a new graph and the others.

    Args:
        graph: Arguments that determine the graph.
        loss_weights: Dict from task to loss weight, or `None` if the space has
            none.
        learning_rate: The learning rate, or `None` if the space has none.
        optimizer: Config of the optimizer, or `None` for the factory's
            default.
        batch_size: Batch size of `fit`, or `None`.
    """

    graph: dict[str, Any]
    loss_weights: dict[str, float] | None
    learning_rate: float | None
    optimizer: dict | None
    batch_size: int | None

    def keywords(self, factory: Callable) -> dict[str, Any]:
        """Returns keyword arguments, with copies of mutable objects.

        Args:
            factory: The factory.
        """
        found = {name: _copy(value) for name, value in self.graph.items()}
        if self.loss_weights is not None:
            found["loss_weights"] = dict(self.loss_weights)
        named, _ = get_parameters(factory)
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
    default_weights: Mapping[str, float],
    kind: str = "ratios",
) -> TrialArguments:
    """Converts the values of a trial to arguments of a factory.

    Args:
        values: Dict from name in the space to value.
        default_weights: Dict from task, in order, to its default loss weight.
        kind: The meaning of `loss_weight/<task>`: `"ratios"` (default) or
            `"plain"`.
    """
    values = dict(values)
    weights = {
        name.removeprefix(PREFIX): values.pop(name)
        for name in list(values)
        if name.startswith(PREFIX)
    }
    if weights and kind == "ratios":
        weights = from_ratios(weights, default_weights)
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
    """Creates an optimizer.

    Args:
        config: Config of the optimizer, or `None` for Adam.
        learning_rate: The learning rate, or `None` for the one of the config.

    Raises:
        ValueError: If `learning_rate` is given and the config has a schedule.
    """
    optimizer = keras.optimizers.get(copy.deepcopy(config) or "adam")
    if learning_rate is None:
        return optimizer
    if isinstance(
        get_learning_rate(optimizer),
        keras.optimizers.schedules.LearningRateSchedule,
    ):
        raise ValueError(
            "The space has a learning_rate, but the optimizer has a schedule, "
            f"{type(get_learning_rate(optimizer)).__name__}. Leave one of the "
            "two out."
        )
    return type(optimizer).from_config(
        {**optimizer.get_config(), "learning_rate": learning_rate}
    )


def _config(optimizer) -> dict:
    """Returns a config that is equal for equal optimizers."""
    config = keras.optimizers.serialize(keras.optimizers.get(optimizer))
    given = optimizer if isinstance(optimizer, Mapping) else {}
    named = isinstance(optimizer, keras.optimizers.Optimizer)
    if not named and "name" not in given.get("config", {}):
        # Keras numbers the names, so each trial would have another one.
        config["config"].pop("name", None)
    return config


def _weighting(given, parameters: Mapping) -> dict:
    """Returns a config that is equal for equal weightings."""
    if isinstance(given, str):
        config = {"class_name": given, "config": {}}
    elif isinstance(given, Mapping):
        config = {"config": {}, **given}
    else:
        config = weightings.serialize(weightings.get(given))
    taken = {
        name: value
        for name, value in parameters.items()
        if name in get_parameters(type(weightings.get(given)))[0]
    }
    return {**config, "config": {**config["config"], **taken}}


def _copy(value):
    """Copies objects that a factory or a model could change."""
    if isinstance(value, keras.layers.Layer):
        return copy_layer(value)
    if isinstance(value, list | tuple) and any(
        isinstance(each, keras.layers.Layer) for each in value
    ):
        return [_copy(each) for each in value]
    return copy.deepcopy(value) if isinstance(value, dict | list) else value
