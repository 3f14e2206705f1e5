"""Wraps a `build(hp)` or `HyperModel` of KerasTuner for a search."""

from __future__ import annotations

import contextlib
import dataclasses
import inspect
from collections.abc import Callable, Mapping

import keras
import keras_tuner

from mtl_keras.spelling import did_you_mean
from mtl_keras.tuning.compiled_models import check_model
from mtl_keras.tuning.dimensions import Fixed, read_dimension
from mtl_keras.tuning.explored_hyperparameters import (
    explore,
    overrides_fit,
    satisfying_values,
)
from mtl_keras.tuning.hyperparameter_dimensions import (
    read_hyperparameters,
    resolve_conditions,
)
from mtl_keras.tuning.multi_task_hyper_model import default_loss_weights
from mtl_keras.tuning.plain_values import to_plain
from mtl_keras.tuning.search_space import SearchSpace
from mtl_keras.tuning.step_checks import is_stepped
from mtl_keras.tuning.step_errors import stepped_range
from mtl_keras.tuning.trial_arguments import TrialArguments

# Common names of the argument of such a function.
_NAMES = ("hp", "hparams", "hps", "hyperparameters", "hyper_parameters")
# The default of `search` and of Keras.
BATCH_SIZE = 32


class WrappedHyperModel:
    """Wraps a `build(hp)` or `HyperModel` for `mtl_keras.tuning.search`.

    The space consists of the declared hyperparameters. To find them, `build`
    is called with the defaults, in each inactive `conditional_scope`, and for
    each choice and each bound of a range, since a loop may declare more for
    another number of layers. `fit` is called with a model that does not train.

    Args:
        factory: A function `build(hp)`, or a `keras_tuner.HyperModel`, whose
            `fit` trains each model.
        space: A `keras_tuner.HyperParameters` to declare first, like
            KerasTuner's argument `hyperparameters`, or a dict that overrides
            some of the declared names. Defaults to `None`.

    Raises:
        TypeError: If `factory` returns something other than a compiled model,
            or the space has another type.
        ValueError: If nothing is declared, or if the space has other names.
    """

    def __init__(
        self,
        factory: Callable | keras_tuner.HyperModel,
        space: Mapping | keras_tuner.HyperParameters | None = None,
    ):
        self.constructor_arguments = {"factory": factory, "space": space}
        self.factory = factory
        whole = isinstance(factory, keras_tuner.HyperModel)
        self._hyper_model = factory if whole else _FromFunction(factory)
        given = isinstance(space, keras_tuner.HyperParameters)
        found = explore(self._hyper_model, space if given else None)
        self._declared = {each.name for each in found.space}
        dimensions = read_hyperparameters(found)
        values = dict(found.values)
        if space is not None and not given:
            dimensions = _overridden(dimensions, space)
            values.update(
                {
                    name: dimensions[name].ends[0]
                    for name in space
                    if name in dimensions
                }
            )
        if not dimensions:
            raise ValueError(
                f"{_name(factory)} declares no hyperparameters, so there is "
                "nothing to search. Declare some in build(hp), as in "
                "hp.Int('trunk_width', 8, 64); tunable=False keeps them out."
            )
        self.space = SearchSpace.from_dimensions(dimensions)
        self.default_arguments = self.arguments(
            {
                name: values[name]
                for name in self.space
                if self.space.is_active(name, values)
            }
        )
        self.default_model = self.build_separate(self.default_arguments)
        self.tasks = default_loss_weights(self.default_model)

    @property
    def has_custom_fit(self) -> bool:
        """Checks whether the hypermodel overrides `fit`."""
        return overrides_fit(self._hyper_model)

    @property
    def varies_weights(self) -> bool:
        """Checks whether the loss weights differ between trials.

        This builds a model for each choice and each bound of a range.
        """
        expected = _loss_weights(self.default_model)
        for name, dimension in self.space.items():
            if isinstance(dimension, Fixed):
                continue
            for value in dimension.ends:
                values = {
                    **self.default_arguments.graph,
                    **satisfying_values(dimension.conditions),
                    name: value,
                }
                model = self.build_separate(self.arguments(values))
                if _loss_weights(model) != expected:
                    return True
        return False

    def arguments(self, values: Mapping) -> TrialArguments:
        """Returns the values of a trial, as passed to `build`.

        Args:
            values: Dict from name in the space to value.
        """
        return TrialArguments(
            graph=dict(values),
            loss_weights=None,
            learning_rate=None,
            optimizer=None,
            batch_size=None,
        )

    def build_trial(self, arguments: TrialArguments) -> keras.Model:
        """Builds the model of a trial. Seed Keras before.

        Args:
            arguments: The values of the trial.

        Raises:
            ValueError: If `build` declares another hyperparameter.
        """
        hp = _hyperparameters(arguments)
        model = check_model(self._hyper_model.build(hp))
        self._check_declared(hp)
        return model

    # Models are never reused.
    build_separate = build_trial

    def build_default(self, seed: int) -> keras.Model:
        """Builds the model with the declared defaults.

        Args:
            seed: Seed of the initial weights.
        """
        keras.utils.set_random_seed(seed)
        return self.build_trial(self.default_arguments)

    def fit_trial(
        self, arguments: TrialArguments, model: keras.Model, *args, **kwargs
    ):
        """Trains a model with the `fit` of the hypermodel.

        Args:
            arguments: The values of the trial.
            model: The model.
            *args: As in `keras.Model.fit`.
            **kwargs: As in `keras.Model.fit`.

        Returns:
            The result of `fit`: a `keras.callbacks.History`, or numbers.

        Raises:
            ValueError: If `fit` declares another hyperparameter.
        """
        hp = _hyperparameters(arguments)
        if self.has_custom_fit and kwargs.get("batch_size") == BATCH_SIZE:
            # Keras has the same default, and `fit` may pass another one.
            del kwargs["batch_size"]
        found = self._hyper_model.fit(hp, model, *args, **kwargs)
        self._check_declared(hp)
        return found

    def release(self, model: keras.Model) -> None:
        """Does nothing: each trial builds its own model."""

    def forget(self, model: keras.Model) -> None:
        """Does nothing: each trial builds its own model."""

    def _check_declared(self, hp: keras_tuner.HyperParameters) -> None:
        late = {each.name for each in hp.space} - self._declared
        if late:
            raise ValueError(
                f"{_name(self.factory)} declares {sorted(late)} only in some "
                "trials, so the proposals have no values of it. Declare it in "
                "build(hp), within hp.conditional_scope if it depends on "
                "another value, or pass keras_tuner.HyperParameters that "
                "declare it as the space."
            )


class _FromFunction(keras_tuner.HyperModel):
    """A hypermodel with a function as `build`."""

    def __init__(self, function: Callable):
        super().__init__()
        self._function = function

    def build(self, hp):
        return self._function(hp)


def takes_hyperparameters(factory, space=None) -> bool:
    """Checks whether a callable is KerasTuner's `build(hp)`.

    Args:
        factory: A `keras_tuner.HyperModel`, or a callable. A callable is a
            `build(hp)` if its only required argument is called `hp` or
            annotated as `keras_tuner.HyperParameters`.
        space: The space. A name in it is an argument of a factory, even if it
            is `hp`.
    """
    if isinstance(factory, keras_tuner.HyperModel):
        return True
    with contextlib.suppress(TypeError, ValueError):
        parameters = inspect.signature(factory).parameters.values()
        required = [
            p
            for p in parameters
            if p.default is p.empty
            and p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)
        ]
        if len(required) != 1:
            return False
        (first,) = required
        if isinstance(space, Mapping) and first.name in space:
            return False
        annotation = getattr(
            first.annotation, "__name__", str(first.annotation)
        )
        return first.name in _NAMES or annotation.endswith("HyperParameters")
    return False


def _hyperparameters(arguments: TrialArguments) -> keras_tuner.HyperParameters:
    hp = keras_tuner.HyperParameters()
    hp.values = dict(arguments.graph)
    return hp


def _overridden(declared: Mapping, space) -> dict:
    if not isinstance(space, Mapping):
        raise TypeError(
            f"The space is {space!r} of type {type(space).__name__}; expected "
            "a dict, a keras_tuner.HyperParameters, or None for what build "
            "declares."
        )
    for name in space:
        if name not in declared:
            raise ValueError(
                f"The space names {name!r}, which build does not declare. "
                f"{did_you_mean(name, declared)}"
            )
        given = to_plain(space[name])
        if is_stepped(given):  # KerasTuner has no tuples as values
            raise stepped_range(name, given, *given)
    return resolve_conditions(
        {
            name: dataclasses.replace(
                read_dimension(name, space.get(name, dimension)),
                conditions=dimension.conditions,
            )
            for name, dimension in declared.items()
        }
    )


def _loss_weights(model: keras.Model):
    found = getattr(model, "loss_weights", None)
    if found is None:
        found = (model.get_compile_config() or {}).get("loss_weights")
    return dict(found) if hasattr(found, "keys") else found


def _name(factory) -> str:
    return getattr(factory, "__name__", type(factory).__name__)
