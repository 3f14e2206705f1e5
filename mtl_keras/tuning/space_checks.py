"""Checks of what a user says of a search space."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from mtl_keras.spelling import did_you_mean
from mtl_keras.tuning.factory_arguments import arguments_of
from mtl_keras.tuning.loss_weight_ratios import PREFIX

WEIGHTING = "weighting/"
# Names that a space may hold although no factory takes them.
_OF_TRAINING = ("batch_size", "learning_rate", "optimizer")


def check_is_dict(space) -> None:
    """Raises a `TypeError` unless a space is a dict.

    Args:
        space: What the user passed.
    """
    if not isinstance(space, Mapping):
        raise TypeError(
            f"The space is {space!r} of type {type(space).__name__}; expected "
            "a dict such as {'trunk_width': (8, 64)}."
        )


def check_not_empty(space: Mapping) -> None:
    """Raises a `ValueError` if a space names nothing.

    Args:
        space: The space.
    """
    if not space:
        raise ValueError(
            "The space is empty. Name what is to be searched, such as "
            "{'trunk_width': (8, 64), 'learning_rate': (1e-4, 1e-2)}. For a "
            "function build(hp) of KerasTuner, call its argument hp."
        )


def check_names(
    factory: Callable, names: Mapping, tasks: tuple[str, ...]
) -> None:
    """Raises a `ValueError` for a name that a factory can do nothing with.

    Args:
        factory: The factory.
        names: The names of a space.
        tasks: The tasks' names.
    """
    parameters, takes_all = arguments_of(factory)
    known = {*parameters, *_OF_TRAINING, *(PREFIX + task for task in tasks)}
    if "weighting" in names:
        known |= {name for name in names if name.startswith(WEIGHTING)}
    for name in names:
        if name not in known and not (takes_all and "/" not in name):
            raise ValueError(
                f"The space names {name!r}, which {_name(factory)} does not "
                f"take. {did_you_mean(name, known)}"
            )
    if takes_all:
        return
    needed = {"loss_weights": [n for n in names if n.startswith(PREFIX)]}
    if "learning_rate" not in parameters:
        rates = {"learning_rate", "optimizer"} & set(names)
        needed["optimizer"] = sorted(rates)
    for argument, because in needed.items():
        if because and argument not in parameters:
            raise ValueError(
                f"The space names {because[0]!r}, which {_name(factory)} would "
                f"get as {argument!r}; it takes no such argument."
            )


def _name(factory: Callable) -> str:
    return getattr(factory, "__name__", type(factory).__name__)
