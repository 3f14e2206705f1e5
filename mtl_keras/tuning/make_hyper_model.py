"""Creates the hypermodel of a search."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping

import keras
import keras_tuner

from mtl_keras.tuning.multi_task_hyper_model import MultiTaskHyperModel
from mtl_keras.tuning.wrapped_hyper_model import (
    WrappedHyperModel,
    takes_hyperparameters,
)

HyperModel = MultiTaskHyperModel | WrappedHyperModel


def make_hyper_model(
    factory: Callable[..., keras.Model] | keras_tuner.HyperModel,
    space: Mapping | keras_tuner.HyperParameters | None = None,
    **arguments,
) -> HyperModel:
    """Creates the hypermodel that builds the models of a search.

    Args:
        factory: A factory, a function `build(hp)` or a
            `keras_tuner.HyperModel`.
        space: See `mtl_keras.tuning.search`.
        **arguments: Further arguments of `MultiTaskHyperModel`, for a factory.

    Returns:
        A `MultiTaskHyperModel` for a factory, else a `WrappedHyperModel`.

    Raises:
        TypeError: If `factory` is the class of a hypermodel, not an instance.
        ValueError: If a space is passed with a `MultiTaskHyperModel`, which
            already has one.
    """
    if isinstance(factory, MultiTaskHyperModel):
        if space is not None:
            raise ValueError(
                "The MultiTaskHyperModel already has a space. Pass space=None, "
                "or pass its factory with the space."
            )
        if not factory.tunable:
            raise ValueError(
                "The MultiTaskHyperModel has tunable=False, so there is "
                "nothing to search. Leave tunable out."
            )
        # Created again within the scope of the search's strategy.
        return MultiTaskHyperModel(**factory.constructor_arguments)
    if inspect.isclass(factory) and issubclass(factory, keras_tuner.HyperModel):
        raise TypeError(
            f"{factory.__name__} is a class; expected an instance of it, "
            f"{factory.__name__}()."
        )
    if takes_hyperparameters(factory, space):
        return WrappedHyperModel(factory, space)
    return MultiTaskHyperModel(factory, space, **arguments)
