"""What a search is for, and whether its numbers make sense."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import keras

from mtl_keras.tuning.make_hyper_model import HyperModel
from mtl_keras.tuning.objective import Objective
from mtl_keras.tuning.search_space import SearchSpace

_USUAL_TRIALS = 20
_LEAST = {"seed": 0}
_MAY_BE_NONE = {"patience"}


def check_counts(**counts) -> None:
    """Raises a `ValueError` unless arguments are integers in range.

    Args:
        **counts: Values by name of the argument.
    """
    for name, value in counts.items():
        least = _LEAST.get(name, 1)
        if value is None and name in _MAY_BE_NONE:
            continue
        if isinstance(value, bool) or not isinstance(value, int):
            raise TypeError(f"{name}={value!r} is not an integer.")
        if value < least:
            raise ValueError(f"{name}={value}; expected {least} or more.")


def number_of_trials(
    given: int | None, tuner: str, space: SearchSpace
) -> int | None:
    """Returns the number of trials of a search; `None` for all there are.

    Args:
        given: What the user passed.
        tuner: Name of the tuner.
        space: The space.

    Raises:
        ValueError: If there are fewer points in the space.
    """
    points = space.num_points
    if given is None:
        if tuner in ("grid", "hyperband"):
            return None
        return min(_USUAL_TRIALS, points or _USUAL_TRIALS)
    check_counts(max_trials=given)
    if points is not None and given > points and tuner != "hyperband":
        raise ValueError(
            f"max_trials={given}, and the space has only {points} points. "
            f"Pass max_trials={points} or fewer, or more choices."
        )
    return given


def describe_search(
    hyper_model: HyperModel,
    objectives: Sequence[Objective],
    train,
    **arguments,
) -> dict:
    """Says what a search is for, so that another one is told apart.

    Args:
        hyper_model: Factory and space.
        objectives: The objectives.
        train: Training data, whose shapes are noted.
        **arguments: Arguments of `search` on which its trials depend.

    Returns:
        A dict of what JSON and TOML take.
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
    """Says in which settings two searches differ.

    Args:
        before: Settings of the one in the folder.
        now: Settings of the other one.
        words: How a difference is said.
        prefix: Name of the setting that holds these.
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
