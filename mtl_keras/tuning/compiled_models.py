"""Compiled models that serve several trials."""

from __future__ import annotations

import dataclasses
from collections import OrderedDict
from collections.abc import Callable, Mapping

import keras
import numpy as np
import tensorflow as tf

from mtl_keras import weighting as weightings
from mtl_keras.keras_compat import learning_rate_of
from mtl_keras.training import MultiTaskModel
from mtl_keras.tuning.factory_arguments import arguments_of
from mtl_keras.tuning.trial_arguments import TrialArguments


class CompiledModels:
    """Builds the models of trials, and reuses graphs that were traced.

    Trials that differ only in loss weights, learning rate and adjustable
    arguments of a weighting get the same model, as it would be if it were
    built anew: with the weights and seeds of a network that the factory has
    just made, a reset optimizer and weighting.

    A factory that makes something else of them than a `MultiTaskModel` with
    just these numbers has its models reused only for trials with the same
    ones.

    Args:
        factory: Builds and compiles a model.
        reuse: Whether to reuse models. Defaults to `True`.
        capacity: Number of models that are kept, those used last. Defaults to
            `8`.
    """

    def __init__(
        self, factory: Callable, *, reuse: bool = True, capacity: int = 8
    ):
        self.factory = factory
        self.reuse = reuse
        self.capacity = capacity
        self._kept: OrderedDict[tuple, _Kept] = OrderedDict()
        # Factories of our kind, which need not compile to say the weights.
        self._compiles = "compile" in arguments_of(factory)[0]

    def build(self, arguments: TrialArguments) -> keras.Model:
        """Builds a model, or resets one. Seed Keras before.

        Args:
            arguments: What the factory is called with.

        Returns:
            A compiled model.

        Raises:
            TypeError: If the factory returns something else.
        """
        if not self.reuse:
            return self._call(arguments)
        keys = (_key(arguments, whole=False), _key(arguments, whole=True))
        for key in keys:
            if key in self._kept:
                self._kept.move_to_end(key)
                return self._again(self._kept[key], arguments)
        model = self._call(arguments)
        assignable = _as_given(model, arguments)
        kept = _Kept.of(model, assignable)
        self._kept[keys[0 if assignable else 1]] = kept
        while len(self._kept) > self.capacity:
            self._kept.popitem(last=False)
        return model

    def forget(self, model: keras.Model) -> None:
        """Never hands out a model again.

        Args:
            model: A model that `build` returned.
        """
        for key, kept in list(self._kept.items()):
            if kept.model is model:
                del self._kept[key]

    def _call(self, arguments: TrialArguments, **more) -> keras.Model:
        model = self.factory(**arguments.keywords(self.factory), **more)
        return check_model(model, compiled=not more)

    def _again(self, kept: _Kept, arguments: TrialArguments) -> keras.Model:
        more = {"compile": False} if self._compiles else {}
        fresh = self._call(arguments, **more)
        kept.reset(fresh)
        model = kept.model
        if not kept.assignable:
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
    """Raises a `TypeError` unless a factory returned a model that can train.

    Args:
        model: The object that the factory returned.
        compiled: Whether the model must be compiled. Defaults to `True`.

    Returns:
        The model.
    """
    if not isinstance(model, keras.Model):
        raise TypeError(
            f"The factory returned {model!r} of type {type(model).__name__}; "
            "expected a compiled keras.Model."
        )
    if compiled and not model.compiled:
        raise TypeError(
            f"The factory returned the model {model.name!r} without compiling "
            "it; call compile(...) in it."
        )
    return model


@dataclasses.dataclass
class _Kept:
    """A model, and the values that its training began with."""

    model: keras.Model
    # Whether its numbers are what the factory was given.
    assignable: bool
    beginning: list[np.ndarray]

    @classmethod
    def of(cls, model: keras.Model, assignable: bool) -> _Kept:
        _build_optimizer(model)
        beginning = [v.numpy() for v in _state(model)]
        return cls(model, assignable, beginning)

    def reset(self, fresh: keras.Model) -> None:
        """Makes the model what it was, with the weights of a fresh one."""
        model = self.model
        pairs = list(zip(model.variables, fresh.variables, strict=True))
        for variable, new in pairs:
            if variable.shape != new.shape:
                raise ValueError(
                    f"The factory made {new.path!r} of shape {new.shape}, and "
                    f"of {variable.shape} with the same arguments before. Pass "
                    "reuse=False."
                )
            variable.assign(tf.convert_to_tensor(new.value))
        for variable, value in zip(_state(model), self.beginning, strict=True):
            variable.assign(value)
        model.stop_training = False
        model.reset_metrics()


def _build_optimizer(model: keras.Model) -> None:
    if isinstance(model, MultiTaskModel):
        model.build_optimizer()
    elif not model.optimizer.built:
        model.optimizer.build(model.trainable_variables)


def _state(model: keras.Model) -> list:
    """What training changes beside the variables of the network."""
    found = list(model.optimizer.variables)
    if isinstance(model, MultiTaskModel):
        found += model.loss_weights.variables_by_task.values()
        found += [] if model.weighting is None else model.weighting.variables
    return found


def _as_given(model: keras.Model, arguments: TrialArguments) -> bool:
    """Whether numbers can be assigned in place of a new model."""
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
    # `float` takes no variable of a strategy with several replicas.
    return float(keras.ops.convert_to_numpy(model.optimizer.learning_rate))


def _has_rate(model: keras.Model) -> bool:
    """Whether the learning rate is a variable, and no schedule."""
    return isinstance(learning_rate_of(model.optimizer), keras.Variable)


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
    """Arguments of the weighting that can be assigned to it."""
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
    # An object of the space, which lives as long as the search.
    return ("object", id(value))
