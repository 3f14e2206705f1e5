"""A factory and a space as what KerasTuner searches."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import keras
import keras_tuner

from mtl_keras.training import MultiTaskModel
from mtl_keras.tuning.compiled_models import CompiledModels
from mtl_keras.tuning.dimensions import Fixed, read_dimension
from mtl_keras.tuning.factory_arguments import arguments_of
from mtl_keras.tuning.hyperparameter_dimensions import read_hyperparameters
from mtl_keras.tuning.keras_tuner_objective import check_tuner_objective
from mtl_keras.tuning.published_space import space_of
from mtl_keras.tuning.search_space import ALL_WEIGHTS, SearchSpace
from mtl_keras.tuning.space_checks import (
    check_is_dict,
    check_names,
    check_not_empty,
)
from mtl_keras.tuning.trial_arguments import TrialArguments, trial_arguments


class MultiTaskHyperModel(keras_tuner.HyperModel):
    """A factory and its search space, for any tuner of KerasTuner.

    Names of the space are arguments of the factory, and besides:

    - `loss_weight/<task>`, the weight of a task; `loss_weight` for all. By
      default it is the ratio to the weight of the first task, which itself has
      none, and the weights are then scaled to sum to the number of tasks.
    - `learning_rate`, of the factory's `optimizer`.
    - `weighting/<argument>`, an argument of the weightings that take it.
    - `batch_size`, which goes to `fit`.

    `(low, high)` is a range: of integers if both are, on a log scale if it is
    above 0 and spans a factor of 10 or more; `(low, high, "linear")` says it.
    A list holds choices. All else is a fixed value; write a fixed pair of
    numbers as a list with that one choice.

    Compile in the factory, and pass the tuner no `optimizer`, `loss` or
    `metrics`: it would compile anew and drop the loss weights.

    Args:
        factory: A factory such as `mtl_keras.build_cnn_cls_seg`, or any
            callable that takes the named arguments and returns a compiled
            model. Weights of losses arrive as `loss_weights`.
        space: Dict from name to range, list of choices or fixed value, or a
            `keras_tuner.HyperParameters`; it is merged over the factory's own
            space (see `space_of`).
        merge: Whether it is merged; else it is all there is. Defaults to
            `True`.
        loss_weights: `"ratios"` (default) or `"plain"`: what the numbers of
            `loss_weight/<task>` are.
        reuse: Whether trials that differ only in loss weights, learning rate
            and numbers of a weighting share a compiled model, with the results
            of a new one. Defaults to `True`.
        name: Name of the hypermodel.
        tunable: As in `keras_tuner.HyperModel`.

    Raises:
        TypeError: If the space is no dict.
        ValueError: If it is empty, or a name or a value does not fit.

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
        # To make another one in another process.
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
        published = _as_one_way(space_of(factory), space) if merge else {}
        whole = {**published, **space}
        check_not_empty(whole)
        # What the factory builds by itself of what the space fixes.
        self.default_arguments = _default_arguments(factory, whole)
        self.default_model = self._build_default()
        self.tasks = own_weights(self.default_model)
        self.space = SearchSpace(
            factory, whole, tuple(self.tasks), loss_weights
        )
        self._models = CompiledModels(factory, reuse=reuse)
        # Handed out by `build`, and not yet given back by `fit`.
        self._handed_out: keras.Model | None = None

    def build(self, hp: keras_tuner.HyperParameters) -> keras.Model:
        """Builds the model of a trial. Seed Keras before.

        Args:
            hp: Hyperparameters of the trial.

        Returns:
            A compiled model.
        """
        return self.build_trial(self.arguments(self.space.declare(hp)))

    def arguments(self, values: Mapping) -> TrialArguments:
        """Returns what the factory is called with in a trial.

        Args:
            values: Values by name in the space.
        """
        return trial_arguments(values, self.tasks, self.space.loss_weights)

    def build_trial(self, arguments: TrialArguments) -> keras.Model:
        """Builds a model that the next one may be made of.

        Args:
            arguments: What the factory is called with.

        Returns:
            A compiled model. If `fit` is not called on it before the next one
            is built, it is the caller's for good.
        """
        if self._handed_out is not None:
            # As `get_best_models` does, which keeps all models that it builds.
            self._models.forget(self._handed_out)
        self._handed_out = self._models.build(arguments)
        return self._handed_out

    @property
    def varies_weights(self) -> bool:
        """Whether trials differ in the weights of the losses."""
        return self.space.varies_weights

    def fit(self, hp, model: keras.Model, *args, **kwargs):
        """Trains the model of a trial for a tuner of KerasTuner.

        Args:
            hp: Hyperparameters of the trial.
            model: What `build` returned.
            *args: As in `keras.Model.fit`.
            **kwargs: As in `keras.Model.fit`. The trial's batch size, if it
                has one, takes the place of `batch_size`.

        Returns:
            A `keras.callbacks.History`.

        Raises:
            keras_tuner.errors.FatalValueError: If the tuner compares trials by
                the total loss while the loss weights vary. It ends the search.
        """
        if self.varies_weights:
            check_tuner_objective(kwargs.get("callbacks"), self.tasks)
        size = self.space.declare(hp).get("batch_size")
        if size is not None:
            kwargs["batch_size"] = size
        history = model.fit(*args, **kwargs)
        self.give_back(model)
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

    def build_anew(self, arguments: TrialArguments) -> keras.Model:
        """Builds a model that no trial gets.

        Args:
            arguments: What the factory is called with.
        """
        return CompiledModels(self.factory, reuse=False).build(arguments)

    def build_default(self, seed: int) -> keras.Model:
        """Builds what the factory builds by itself of what the space fixes.

        Args:
            seed: Seed of its initial weights.
        """
        keras.utils.set_random_seed(seed)
        return self._build_default()

    def _build_default(self) -> keras.Model:
        keywords = self.default_arguments.keywords(self.factory)
        named, _ = arguments_of(self.factory)
        if _is_needed(named.get("loss_weights")):
            keywords.setdefault("loss_weights", None)
        return self.factory(**keywords)

    def give_back(self, model: keras.Model) -> None:
        """Says that a model may serve another trial.

        Args:
            model: What was built last.
        """
        if model is self._handed_out:
            self._handed_out = None

    def forget(self, model: keras.Model) -> None:
        """Says that a model must not serve another trial.

        Args:
            model: A model that was built here.
        """
        self._models.forget(model)


def own_weights(model: keras.Model) -> dict[str, float]:
    """Returns the tasks of a model, in order, with their own loss weights.

    Args:
        model: A model; the outputs of a plain Keras model count as tasks.
    """
    if isinstance(model, MultiTaskModel):
        return {task.name: task.loss_weight for task in model.tasks}
    return dict.fromkeys(model.output_names, 1.0)


def _as_one_way(published: dict, space: Mapping) -> dict:
    """Leaves out what the user says in another way."""
    if "loss_weights" in space:
        published.pop(ALL_WEIGHTS, None)
    if {"hidden_units", "filters"} & set(space):
        published.pop("trunk_width", None)
        published.pop("trunk_depth", None)
    return published


def _default_arguments(factory: Callable, space: Mapping) -> TrialArguments:
    """Takes what a space fixes, and leaves the rest to the factory."""
    named, _ = arguments_of(factory)
    dimensions = {name: read_dimension(name, g) for name, g in space.items()}
    plain = {
        name: d
        for name, d in dimensions.items()
        if "/" not in name and name != ALL_WEIGHTS
    }
    check_names(factory, plain, ())
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
