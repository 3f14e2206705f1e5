"""Wraps a factory and a search space as a KerasTuner hypermodel."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import keras
import keras_tuner

from mtl_keras.training import MultiTaskModel
from mtl_keras.tuning.compiled_models import CompiledModels
from mtl_keras.tuning.dimensions import Fixed, read_dimension
from mtl_keras.tuning.factory_parameters import get_parameters
from mtl_keras.tuning.hyperparameter_dimensions import read_hyperparameters
from mtl_keras.tuning.keras_tuner_objective import check_tuner_objective
from mtl_keras.tuning.published_space import space_of
from mtl_keras.tuning.search_space import ALL_WEIGHTS, SearchSpace
from mtl_keras.tuning.space_checks import (
    check_is_dict,
    check_names,
    check_not_empty,
)
from mtl_keras.tuning.step_checks import check_steps
from mtl_keras.tuning.trial_arguments import TrialArguments, trial_arguments


class MultiTaskHyperModel(keras_tuner.HyperModel):
    """A factory and its search space, for any tuner of KerasTuner.

    The names of the space are arguments of the factory, and also:

    - `loss_weight/<task>`: the loss weight of a task, or `loss_weight` for all
      tasks. By default, this is the ratio to the weight of the first task,
      which has no entry, and the weights are scaled to sum to the number of
      tasks.
    - `learning_rate`: the learning rate of the factory's `optimizer`.
    - `weighting/<argument>`: an argument of the weightings that accept it.
    - `batch_size`: the batch size of `fit`.

    The values of the space are:

    - `(low, high)` or `(low, high, "linear")`: a range. It consists of
      integers if both bounds are. Its scale is `"log"` if it is positive and
      spans a factor of 10 or more, else `"linear"`.
    - A list, an array or a `range`: choices.
    - Anything else: a fixed value. Write a fixed pair of numbers as a list
      with one choice.

    Compile in the factory, and do not pass `optimizer`, `loss` or `metrics` to
    the tuner: it would compile again and drop the loss weights.

    Args:
        factory: A factory such as `mtl_keras.build_cnn_cls_seg`, or any
            callable that accepts the named arguments and returns a compiled
            model. It gets the loss weights as `loss_weights`.
        space: Dict from name to range, list of choices or fixed value, or a
            `keras_tuner.HyperParameters`. Its entries override the factory's
            search space (see `space_of`).
        merge: Whether to add the factory's search space to `space`. Defaults
            to `True`.
        loss_weights: The meaning of `loss_weight/<task>`: `"ratios"` to the
            first task's weight (default), or `"plain"` weights.
        reuse: Whether trials that differ only in loss weights, learning rate
            and numbers of a weighting share a compiled model, with the same
            results as a new one. Defaults to `True`.
        name: Name of the hypermodel.
        tunable: As in `keras_tuner.HyperModel`.

    Raises:
        TypeError: If the space is not a dict.
        ValueError: If the space is empty, or has an unknown name or an invalid
            value.

    Example:

    >>> import keras_tuner
    >>> from mtl_keras import tuning
    >>> hyper_model = tuning.MultiTaskHyperModel(
    ...     mtl_keras.build_mlp,
    ...     {"input_shape": [(8,)], "trunk_width": [8, 16], "trunk_depth": 1},
    ... )
    >>> model = hyper_model.build(keras_tuner.HyperParameters())
    >>> model.get_layer("left").input.shape
    (None, 8)
    """

    # Whether another function than `keras.Model.fit` trains the models.
    has_custom_fit = False

    def __init__(
        self,
        factory: Callable[..., keras.Model],
        space: Mapping | keras_tuner.HyperParameters | None = None,
        *,
        merge: bool = True,
        loss_weights: str = "ratios",
        reuse: bool = True,
        name: str | None = None,
        tunable: bool = True,
    ):
        super().__init__(name=name, tunable=tunable)
        # To create another one in another process.
        self.constructor_arguments = {
            "factory": factory,
            "space": space,
            "merge": merge,
            "loss_weights": loss_weights,
            "reuse": reuse,
            "tunable": tunable,
        }
        space = {} if space is None else space
        if isinstance(space, keras_tuner.HyperParameters):
            space = read_hyperparameters(space)
        check_is_dict(space)
        self.factory = factory
        published = (
            _drop_alternatives(space_of(factory), space) if merge else {}
        )
        whole = {**published, **space}
        check_not_empty(whole)
        # The default model has the fixed values of the space.
        self.default_arguments = _default_arguments(factory, whole)
        self.default_model = self._build_default()
        self.tasks = default_loss_weights(self.default_model)
        self.space = SearchSpace(
            factory, whole, tuple(self.tasks), loss_weights
        )
        self._models = CompiledModels(factory, reuse=reuse)
        # Returned by `build`, and not yet released by `fit`.
        self._current: keras.Model | None = None

    def build(self, hp: keras_tuner.HyperParameters) -> keras.Model:
        """Builds the model of a trial. Seed Keras before.

        Args:
            hp: Hyperparameters of the trial.

        Returns:
            A compiled model.
        """
        return self.build_trial(self.arguments(self.space.declare(hp)))

    def arguments(self, values: Mapping) -> TrialArguments:
        """Returns the arguments of the factory in a trial.

        Args:
            values: Dict from name in the space to value.
        """
        return trial_arguments(values, self.tasks, self.space.loss_weights)

    def build_trial(self, arguments: TrialArguments) -> keras.Model:
        """Builds the model of a trial, which later trials may reuse.

        Args:
            arguments: The arguments of the factory.

        Returns:
            A compiled model. If another model is built before this one is
            released, this one is not reused.
        """
        if self._current is not None:
            # For example `get_best_models` keeps all models that it builds.
            self._models.forget(self._current)
        self._current = self._models.build(arguments)
        return self._current

    @property
    def varies_weights(self) -> bool:
        """Checks whether the loss weights differ between trials."""
        return self.space.varies_weights

    def fit(self, hp, model: keras.Model, *args, **kwargs):
        """Trains the model of a trial for a tuner of KerasTuner.

        Args:
            hp: Hyperparameters of the trial.
            model: The model that `build` returned.
            *args: As in `keras.Model.fit`.
            **kwargs: As in `keras.Model.fit`. The batch size of the trial, if
                there is one, replaces `batch_size`.

        Returns:
            A `keras.callbacks.History`.

        Raises:
            keras_tuner.errors.FatalValueError: If the tuner compares trials by
                the total loss while the loss weights vary. KerasTuner then
                stops the search.
        """
        if self.varies_weights:
            check_tuner_objective(kwargs.get("callbacks"), self.tasks)
        size = self.space.declare(hp).get("batch_size")
        if size is not None:
            kwargs["batch_size"] = size
        history = model.fit(*args, **kwargs)
        self.release(model)
        return history

    def fit_trial(
        self, arguments: TrialArguments, model: keras.Model, *args, **kwargs
    ) -> keras.callbacks.History:
        """Trains the model of a trial of `mtl_keras.tuning.search`.

        Args:
            arguments: The arguments of the trial.
            model: The model.
            *args: As in `keras.Model.fit`.
            **kwargs: As in `keras.Model.fit`.
        """
        return model.fit(*args, **kwargs)

    def build_separate(self, arguments: TrialArguments) -> keras.Model:
        """Builds a model that no trial reuses.

        Args:
            arguments: The arguments of the factory.
        """
        return CompiledModels(self.factory, reuse=False).build(arguments)

    def build_default(self, seed: int) -> keras.Model:
        """Builds the factory's default model, with the fixed values.

        Args:
            seed: Seed of the initial weights.
        """
        keras.utils.set_random_seed(seed)
        return self._build_default()

    def _build_default(self) -> keras.Model:
        keywords = self.default_arguments.keywords(self.factory)
        named, _ = get_parameters(self.factory)
        if _is_needed(named.get("loss_weights")):
            keywords.setdefault("loss_weights", None)
        return self.factory(**keywords)

    def release(self, model: keras.Model) -> None:
        """Allows other trials to reuse a model.

        Args:
            model: The model that was built last.
        """
        if model is self._current:
            self._current = None

    def forget(self, model: keras.Model) -> None:
        """Prevents other trials from reusing a model.

        Args:
            model: A model that this hypermodel has built.
        """
        self._models.forget(model)


def default_loss_weights(model: keras.Model) -> dict[str, float]:
    """Returns the default loss weights of a model by task, in order.

    Args:
        model: A model. The outputs of a plain Keras model are its tasks.
    """
    if isinstance(model, MultiTaskModel):
        return {task.name: task.loss_weight for task in model.tasks}
    return dict.fromkeys(model.output_names, 1.0)


def _drop_alternatives(published: dict, space: Mapping) -> dict:
    """Removes entries that the user specifies by another name."""
    if "loss_weights" in space:
        published.pop(ALL_WEIGHTS, None)
    if {"hidden_units", "filters"} & set(space):
        published.pop("trunk_width", None)
        published.pop("trunk_depth", None)
    return published


def _default_arguments(factory: Callable, space: Mapping) -> TrialArguments:
    """Returns the fixed values of a space, and required arguments."""
    named, _ = get_parameters(factory)
    dimensions = {name: read_dimension(name, g) for name, g in space.items()}
    plain = {
        name: d
        for name, d in dimensions.items()
        if "/" not in name and name != ALL_WEIGHTS
    }
    check_names(factory, plain, ())
    check_steps(factory, plain)
    values = {}
    for name, dimension in plain.items():
        if isinstance(dimension, Fixed):
            values[name] = dimension.content
        elif _is_needed(named.get(name)):
            values[name] = dimension.ends[0]
    values.pop("loss_weights", None)
    return trial_arguments(values, {})


def _is_needed(parameter) -> bool:
    return parameter is not None and parameter.default is parameter.empty
