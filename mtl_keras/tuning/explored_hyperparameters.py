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
    """Finds all hyperparameters, and their defaults as values.

    `build` is called for the defaults, within each conditional scope, and for
    each choice and each end of a range: a loop may declare more for another
    number of layers. `fit` is called once, with a model that does not train.

    Args:
        hyper_model: The hypermodel.
        given: Hyperparameters that are declared first. Defaults to `None`.

    Raises:
        TypeError: If `build` returns something other than a compiled model.
    """
    known = keras_tuner.HyperParameters() if given is None else given.copy()
    hyper_model.declare_hyperparameters(known)
    hp, model = _declare(hyper_model, known.values)
    if fits_by_itself(hyper_model):
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
        except Exception:  # the trial of this point fails and says why
            continue
        known.merge(hp.space, overwrite=False)
        defaults = {**hp.values, **defaults}
        waiting += _points(known, hp, defaults)
    known.values = defaults
    return known


def fits_by_itself(hyper_model: keras_tuner.HyperModel) -> bool:
    """Checks whether a hypermodel has a `fit` of its own.

    Args:
        hyper_model: The hypermodel.
    """
    return type(hyper_model).fit is not keras_tuner.HyperModel.fit


def parents_of(conditions: Iterable[tuple[str, Any]]) -> dict:
    """Returns values of other hyperparameters at which conditions hold.

    Args:
        conditions: Pairs of the other's name and the values that it may have.
    """
    return {parent: values[0] for parent, values in conditions}


def _declare(hyper_model, values: Mapping):
    hp = keras_tuner.HyperParameters()
    hp.values = dict(values)
    return hp, check_model(hyper_model.build(hp))


def _points(known, hp, defaults: Mapping) -> list[dict]:
    """Lists points that may declare more: scopes, choices and ends."""
    points = [
        {**defaults, **parents_of((c.name, c.values) for c in scope)}
        for scope in hp.inactive_scopes
    ]
    for declared in known.space:
        parents = parents_of((c.name, c.values) for c in declared.conditions)
        points += [
            {**defaults, **parents, declared.name: value}
            for value in _ends(declared)
        ]
    return points


def _ends(declared) -> tuple:
    """Returns the values at which more may be declared."""
    if hasattr(declared, "max_value"):
        return (declared.min_value, declared.max_value)
    if isinstance(declared, kinds.Fixed):
        return (declared.value,)
    return tuple(declared.values)


class _TrainingReachedError(Exception):
    """Ends a `fit` that only declares its hyperparameters."""


class _DoesNotTrain:
    """A model whose training ends at once."""

    def __init__(self, model: keras.Model):
        self._model = model

    def __getattr__(self, name: str):
        return getattr(self._model, name)

    def fit(self, *args, **kwargs):
        raise _TrainingReachedError


def _declare_in_fit(hyper_model, hp, model: keras.Model) -> None:
    """Has `fit` declare its hyperparameters, as far as it goes without data."""
    # Where it needs data, the first trial tells what was not declared.
    with contextlib.suppress(Exception):
        hyper_model.fit(
            hp,
            _DoesNotTrain(model),
            None,
            None,
            sample_weight=None,
            validation_data=None,
            callbacks=[],
            epochs=1,
            verbose=0,
        )
