"""The search space that comes with a factory."""

from __future__ import annotations

from collections.abc import Callable

from mtl_keras import models
from mtl_keras.tuning.factory_arguments import arguments_of
from mtl_keras.tuning.search_space import ALL_WEIGHTS

# What all factories of the house search unless they say otherwise: choices
# where another value is another graph, ranges where it is not.
_USUAL = {
    "trunk_width": [16, 32, 64, 128],
    "trunk_depth": [1, 2, 3],
    "dropout": [0.0, 0.1, 0.2, 0.3, 0.5],
}
_USUAL_OF_TRAINING = {"learning_rate": (1e-4, 1e-2), ALL_WEIGHTS: (0.1, 10.0)}


def space_of(factory: Callable) -> dict:
    """Returns the search space that comes with a factory.

    A factory publishes one as an attribute, `build_mlp.search_space = {...}`.
    Those of `mtl_keras.models` say there what they have besides the usual
    arguments, or in place of their usual choices.

    Args:
        factory: A factory, or any callable that builds a model.

    Returns:
        Dict from name to range, list of choices or fixed value; empty if the
        factory has none.

    Example:

    >>> from mtl_keras import tuning
    >>> sorted(tuning.space_of(mtl_keras.build_mlp))[:3]
    ['dropout', 'learning_rate', 'loss_weight']
    """
    published = getattr(factory, "search_space", {})
    name = getattr(factory, "__name__", "")
    if name not in models.names() or models.get(name) is not factory:
        return dict(published)
    named, _ = arguments_of(factory)
    usual = {name: values for name, values in _USUAL.items() if name in named}
    return {**usual, **_USUAL_OF_TRAINING, **published}
