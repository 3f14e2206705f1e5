"""Checks of search spaces."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from mtl_keras.spelling import did_you_mean
from mtl_keras.tuning.factory_parameters import get_parameters
from mtl_keras.tuning.loss_weight_ratios import PREFIX

WEIGHTING = "weighting/"
# Names that a space may have although they are not arguments of a factory.
_TRAINING = ("batch_size", "learning_rate", "optimizer")


def check_is_dict(space) -> None:
    """Checks that a space is a dict.

    Args:
        space: The argument `space`.

    Raises:
        TypeError: If it is not a dict.
    """
    if not isinstance(space, Mapping):
        raise TypeError(
            f"The space is {space!r} of type {type(space).__name__}; expected "
            "a dict such as {'trunk_width': (8, 64)}."
        )


def check_not_empty(space: Mapping) -> None:
    """Checks that a space is not empty.

    Args:
        space: The space.

    Raises:
        ValueError: If it is empty.
    """
    if not space:
        raise ValueError(
            "The space is empty. Name the hyperparameters to search, such as "
            "{'trunk_width': (8, 64), 'learning_rate': (1e-4, 1e-2)}. For a "
            "function build(hp) of KerasTuner, call its argument hp."
        )


def check_names(
    factory: Callable, names: Mapping, tasks: tuple[str, ...]
) -> None:
    """Checks that a factory can use all names of a space.

    Args:
        factory: The factory.
        names: The names of the space.
        tasks: Names of the tasks.

    Raises:
        ValueError: If the factory does not accept a name.
    """
    parameters, takes_all = get_parameters(factory)
    known = {*parameters, *_TRAINING, *(PREFIX + task for task in tasks)}
    if "weighting" in names:
        known |= {name for name in names if name.startswith(WEIGHTING)}
    for name in names:
        if name not in known and not (takes_all and "/" not in name):
            raise ValueError(
                f"The space names {name!r}, but {_name(factory)} has no such "
                f"argument. {did_you_mean(name, known)}"
            )
    if takes_all:
        return
    required = {"loss_weights": [n for n in names if n.startswith(PREFIX)]}
    if "learning_rate" not in parameters:
        rates = {"learning_rate", "optimizer"} & set(names)
        required["optimizer"] = sorted(rates)
    for argument, sources in required.items():
        if sources and argument not in parameters:
            raise ValueError(
                f"The space names {sources[0]!r}, which needs the argument "
                f"{argument!r}, but {_name(factory)} has no such argument."
            )


def _name(factory: Callable) -> str:
    return getattr(factory, "__name__", type(factory).__name__)
