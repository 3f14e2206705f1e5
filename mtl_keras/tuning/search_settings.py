"""Checks and describes the settings of a search."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import keras

from mtl_keras.argument_checks import check_integer
from mtl_keras.tuning.make_hyper_model import HyperModel
from mtl_keras.tuning.objective import Objective
from mtl_keras.tuning.search_space import SearchSpace

_DEFAULT_TRIALS = 20
_MINIMUMS = {"seed": 0}
_OPTIONAL = {"patience"}


def check_counts(**counts) -> None:
    """Checks that arguments of a search are integers in range.

    Args:
        **counts: Values by name of the argument.

    Raises:
        TypeError: If a value is not an integer.
        ValueError: If a value is out of range.
    """
    for name, value in counts.items():
        if value is None and name in _OPTIONAL:
            continue
        check_integer(name, value, minimum=_MINIMUMS.get(name, 1))


def resolve_max_trials(
    given: int | None, tuner: str, space: SearchSpace
) -> int | None:
    """Returns the number of trials of a search.

    Args:
        given: The argument `max_trials`.
        tuner: Name of the tuner.
        space: The search space.

    Returns:
        The number of trials, or `None` for all trials of the tuner.

    Raises:
        ValueError: If the space has fewer points.
    """
    points = space.num_points
    if given is None:
        if tuner in ("grid", "hyperband"):
            return None
        return min(_DEFAULT_TRIALS, points or _DEFAULT_TRIALS)
    check_counts(max_trials=given)
    if points is not None and given > points and tuner != "hyperband":
        raise ValueError(
            f"max_trials={given}, but the space has only {points} points. "
            f"Pass max_trials={points} or fewer, or more choices."
        )
    return given


def describe_search(
    hyper_model: HyperModel,
    objectives: Sequence[Objective],
    train,
    **arguments,
) -> dict:
    """Describes a search, to distinguish it from others.

    Args:
        hyper_model: The hypermodel, with factory and space.
        objectives: The objectives.
        train: Training data, whose shapes are recorded.
        **arguments: Arguments of `search` that its trials depend on.

    Returns:
        A dict of values that JSON and TOML can represent.
    """
    factory = hyper_model.factory
    return {
        "factory": getattr(factory, "__name__", type(factory).__name__),
        **arguments,
        "data": _shapes(train),
        "loss_weights": hyper_model.space.loss_weights,
        "objectives": {o.name: o.direction for o in objectives},
        "space": hyper_model.space.describe(),
    }


def differences(
    before: Mapping,
    now: Mapping,
    words: str = "{name} was {before} and is {now}",
    prefix: str = "",
) -> list[str]:
    """Lists the differences between the settings of two searches.

    Args:
        before: Settings of the search in the folder.
        now: Settings of the new search.
        words: Format of a difference. Defaults to `"{name} was {before} and is
            {now}"`.
        prefix: Prefix of the names, for nested settings.
    """
    found = []
    for name in sorted({*before, *now}):
        old, new = before.get(name), now.get(name)
        if isinstance(old, Mapping) and isinstance(new, Mapping):
            found += differences(old, new, words, f"{prefix}{name}: ")
        elif old != new:
            was = "nothing" if name not in before else repr(old)
            is_now = "nothing" if name not in now else repr(new)
            found.append(
                words.format(name=f"{prefix}{name}", before=was, now=is_now)
            )
    return found


def _shapes(data) -> str:
    if not isinstance(data, list | tuple):
        return type(data).__name__
    shapes = keras.tree.flatten(
        keras.tree.map_structure(lambda a: str(tuple(a.shape)), data[0])
    )
    return ", ".join(map(str, shapes))
