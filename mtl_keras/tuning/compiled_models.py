"""Reuses compiled models in several trials."""

from __future__ import annotations

import dataclasses
from collections import OrderedDict
from collections.abc import Callable, Mapping

import keras
import numpy as np
import tensorflow as tf

from mtl_keras import weighting as weightings
from mtl_keras.keras_compat import get_learning_rate
from mtl_keras.training import MultiTaskModel
from mtl_keras.tuning.factory_parameters import get_parameters
from mtl_keras.tuning.trial_arguments import TrialArguments


class CompiledModels:
    """Builds the models of trials, and reuses their traced graphs.

    Trials that differ only in loss weights, learning rate and adjustable
    arguments of a weighting share a model. Each of them gets it in the state
    of a new model: with the initial weights and seeds of a network that the
    factory has just built, and with a reset optimizer and weighting.

    If a factory does not set exactly these numbers on a `MultiTaskModel`, its
    models are reused only in trials with the same numbers.

    Args:
        factory: Function that builds and compiles a model.
        reuse: Whether to reuse models. Defaults to `True`.
        capacity: Number of models to keep; the least recently used one is
            dropped. Defaults to `8`.
    """

    def __init__(
        self, factory: Callable, *, reuse: bool = True, capacity: int = 8
    ):
        self.factory = factory
        self.reuse = reuse
        self.capacity = capacity
        self._cached: OrderedDict[tuple, _CachedModel] = OrderedDict()
        # Such factories return the initial weights without compiling.
        self._compiles = "compile" in get_parameters(factory)[0]

    def build(self, arguments: TrialArguments) -> keras.Model:
        """Builds a model, or resets a cached one. Seed Keras before.

        Args:
            arguments: The arguments of the factory.

        Returns:
            A compiled model.

        Raises:
            TypeError: If the factory does not return a compiled model.
        """
        if not self.reuse:
            return self._call(arguments)
        keys = (_key(arguments, whole=False), _key(arguments, whole=True))
        for key in keys:
            if key in self._cached:
                self._cached.move_to_end(key)
                return self._reset(self._cached[key], arguments)
        model = self._call(arguments)
        assignable = _has_numbers(model, arguments)
        cached = _CachedModel.create(model, assignable)
        self._cached[keys[0 if assignable else 1]] = cached
        while len(self._cached) > self.capacity:
            self._cached.popitem(last=False)
        return model

    def forget(self, model: keras.Model) -> None:
        """Removes a model from the cache.

        Args:
            model: A model that `build` returned.
        """
        for key, cached in list(self._cached.items()):
            if cached.model is model:
                del self._cached[key]

    def _call(self, arguments: TrialArguments, **extra) -> keras.Model:
        model = self.factory(**arguments.keywords(self.factory), **extra)
        return check_model(model, compiled=not extra)

    def _reset(
        self, cached: _CachedModel, arguments: TrialArguments
    ) -> keras.Model:
        extra = {"compile": False} if self._compiles else {}
        new = self._call(arguments, **extra)
        cached.reset(new)
        model = cached.model
        if not cached.assignable:
            return model
        if arguments.loss_weights is not None and isinstance(
            model, MultiTaskModel
        ):
            model.loss_weights.update(arguments.loss_weights)
        if arguments.learning_rate is not None and _has_rate(model):
            model.optimizer.learning_rate = arguments.learning_rate
        for name, number in _weighting_numbers(arguments).items():
            setattr(model.weighting, name, number)
        return model


def check_model(model, *, compiled: bool = True) -> keras.Model:
    """Checks that a factory returned a model that can train.

    Args:
        model: The object that the factory returned.
        compiled: Whether the model must be compiled. Defaults to `True`.

    Returns:
        The model.

    Raises:
        TypeError: If it is not a `keras.Model`, or not compiled.
    """
    if not isinstance(model, keras.Model):
        raise TypeError(
            f"The factory returned {model!r} of type {type(model).__name__}; "
            "expected a compiled keras.Model."
        )
    if compiled and not model.compiled:
        raise TypeError(
            f"The factory returned the model {model.name!r} without compiling "
            "it; call compile(...) in the factory."
        )
    return model


@dataclasses.dataclass
class _CachedModel:
    """A model, and its state before training."""

    model: keras.Model
    # Whether the numbers of a trial can be assigned to the model.
    assignable: bool
    initial_state: list[np.ndarray]

    @classmethod
    def create(cls, model: keras.Model, assignable: bool) -> _CachedModel:
        _build_optimizer(model)
        initial_state = [v.numpy() for v in _state(model)]
        return cls(model, assignable, initial_state)

    def reset(self, new: keras.Model) -> None:
        """Resets the model, and copies the weights of a new one."""
        model = self.model
        pairs = list(zip(model.variables, new.variables, strict=True))
        for variable, other in pairs:
            if variable.shape != other.shape:
                raise ValueError(
                    f"The factory created {other.path!r} with the shape "
                    f"{other.shape}, but with {variable.shape} for the same "
                    "arguments before. Pass reuse=False."
                )
            variable.assign(tf.convert_to_tensor(other.value))
        for variable, value in zip(
            _state(model), self.initial_state, strict=True
        ):
            variable.assign(value)
        model.stop_training = False
        model.reset_metrics()


def _build_optimizer(model: keras.Model) -> None:
    if isinstance(model, MultiTaskModel):
        model.build_optimizer()
    elif not model.optimizer.built:
        model.optimizer.build(model.trainable_variables)


def _state(model: keras.Model) -> list:
    """Returns the variables that training changes besides the network's."""
    found = list(model.optimizer.variables)
    if isinstance(model, MultiTaskModel):
        found += model.loss_weights.variables_by_task.values()
        found += [] if model.weighting is None else model.weighting.variables
    return found


def _has_numbers(model: keras.Model, arguments: TrialArguments) -> bool:
    """Checks that the model has the numbers that the factory was given."""
    used = getattr(model, "weighting", None)
    for name, number in _weighting_numbers(arguments).items():
        if getattr(used, name, None) != number:
            return False
    weights, rate = arguments.loss_weights, arguments.learning_rate
    if weights is not None:
        if not isinstance(model, MultiTaskModel):
            return False
        found = dict(model.loss_weights)
        if not all(
            np.isclose(found.get(task, np.nan), weight, rtol=1e-6)
            for task, weight in weights.items()
        ):
            return False
    return rate is None or (
        _has_rate(model) and np.isclose(_learning_rate(model), rate, rtol=1e-6)
    )


def _learning_rate(model: keras.Model) -> float:
    # `float` does not accept a variable of several replicas.
    return float(keras.ops.convert_to_numpy(model.optimizer.learning_rate))


def _has_rate(model: keras.Model) -> bool:
    """Checks that the learning rate is a variable, not a schedule."""
    return isinstance(get_learning_rate(model.optimizer), keras.Variable)


def _key(arguments: TrialArguments, *, whole: bool) -> tuple:
    graph = dict(arguments.graph)
    weights, rate = arguments.loss_weights, arguments.learning_rate
    if whole:
        parts = [weights, rate]
    else:
        parts = [weights is None, rate is None]
        numbers = _weighting_numbers(arguments)
        if numbers:
            config = graph["weighting"]["config"]
            config = {**config, **dict.fromkeys(numbers)}
            graph["weighting"] = {**graph["weighting"], "config": config}
    return (whole, _hashable([graph, arguments.optimizer, *parts]))


def _weighting_numbers(arguments: TrialArguments) -> dict[str, float]:
    """Returns the arguments that can be assigned to the weighting."""
    config = arguments.graph.get("weighting")
    if not isinstance(config, Mapping) or not config["config"]:
        return {}
    adjustable = type(weightings.get(config)).adjustable_arguments()
    return {n: v for n, v in config["config"].items() if n in adjustable}


def _hashable(value):
    if isinstance(value, Mapping):
        return tuple(
            (key, _hashable(value[key])) for key in sorted(value, key=str)
        )
    if isinstance(value, list | tuple):
        return (type(value).__name__, *map(_hashable, value))
    if value is None or isinstance(value, bool | int | float | str):
        return (type(value).__name__, value)
    # An object in the space, which exists until the search ends.
    return ("object", id(value))
