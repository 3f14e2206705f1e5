"""Finds the hyperparameters that a `keras_tuner.HyperModel` declares."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Mapping
from typing import Any

import keras
import keras_tuner
from keras_tuner.engine import hyperparameters as kinds

from mtl_keras.tuning.compiled_models import check_model


def explore(
    hyper_model: keras_tuner.HyperModel,
    given: keras_tuner.HyperParameters | None = None,
) -> keras_tuner.HyperParameters:
    """Finds all hyperparameters, with their defaults as values.

    This calls `build` with the defaults, in each conditional scope, and for
    each choice and each bound of a range, since a loop may declare more for
    another number of layers. It calls `fit` once, with a model that does not
    train.

    Args:
        hyper_model: The hypermodel.
        given: Hyperparameters to declare first. Defaults to `None`.

    Returns:
        The `keras_tuner.HyperParameters`.

    Raises:
        TypeError: If `build` returns something other than a compiled model.
    """
    known = keras_tuner.HyperParameters() if given is None else given.copy()
    hyper_model.declare_hyperparameters(known)
    hp, model = _declare(hyper_model, known.values)
    if overrides_fit(hyper_model):
        _declare_in_fit(hyper_model, hp, model)
    defaults = dict(hp.values)
    known.merge(hp.space, overwrite=False)
    waiting, tried = _points(known, hp, defaults), [defaults]
    while waiting:
        values = waiting.pop(0)
        if values in tried:
            continue
        tried.append(values)
        try:
            hp, _ = _declare(hyper_model, values)
        except Exception:  # a trial with these values fails with the reason
            continue
        known.merge(hp.space, overwrite=False)
        defaults = {**hp.values, **defaults}
        waiting += _points(known, hp, defaults)
    known.values = defaults
    return known


def overrides_fit(hyper_model: keras_tuner.HyperModel) -> bool:
    """Checks whether a hypermodel overrides `fit`.

    Args:
        hyper_model: The hypermodel.
    """
    return type(hyper_model).fit is not keras_tuner.HyperModel.fit


def satisfying_values(conditions: Iterable[tuple[str, Any]]) -> dict:
    """Returns values of other hyperparameters that satisfy conditions.

    Args:
        conditions: Pairs of another hyperparameter and its allowed values.
    """
    return {parent: values[0] for parent, values in conditions}


def _declare(hyper_model, values: Mapping):
    hp = keras_tuner.HyperParameters()
    hp.values = dict(values)
    return hp, check_model(hyper_model.build(hp))


def _points(known, hp, defaults: Mapping) -> list[dict]:
    """Lists values that may declare more: scopes, choices and bounds."""
    points = [
        {**defaults, **satisfying_values((c.name, c.values) for c in scope)}
        for scope in hp.inactive_scopes
    ]
    for declared in known.space:
        parents = satisfying_values(
            (c.name, c.values) for c in declared.conditions
        )
        points += [
            {**defaults, **parents, declared.name: value}
            for value in _ends(declared)
        ]
    return points


def _ends(declared) -> tuple:
    """Returns the values that may declare more."""
    if hasattr(declared, "max_value"):
        return (declared.min_value, declared.max_value)
    if isinstance(declared, kinds.Fixed):
        return (declared.value,)
    return tuple(declared.values)


class _TrainingReachedError(Exception):
    """Stops a `fit` that only declares its hyperparameters."""


class _UntrainedModel:
    """A model whose `fit` stops at once."""

    def __init__(self, model: keras.Model):
        self._model = model

    def __getattr__(self, name: str):
        return getattr(self._model, name)

    def fit(self, *args, **kwargs):
        raise _TrainingReachedError


def _declare_in_fit(hyper_model, hp, model: keras.Model) -> None:
    """Calls `fit` without data, so that it declares its hyperparameters."""
    # If it needs data, the first trial reports undeclared hyperparameters.
    with contextlib.suppress(Exception):
        hyper_model.fit(
            hp,
            _UntrainedModel(model),
            None,
            None,
            sample_weight=None,
            validation_data=None,
            callbacks=[],
            epochs=1,
            verbose=0,
        )
