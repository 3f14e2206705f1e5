"""Returns the search space of a factory."""

from __future__ import annotations

from collections.abc import Callable

from mtl_keras import models
from mtl_keras.tuning.factory_parameters import get_parameters
from mtl_keras.tuning.search_space import ALL_WEIGHTS

# The default space of the factories of `mtl_keras.models`. Values that change
# the graph are choices, the others are ranges.
_GRAPH = {
    "trunk_width": [16, 32, 64, 128],
    "trunk_depth": [1, 2, 3],
    "dropout": [0.0, 0.1, 0.2, 0.3, 0.5],
}
_TRAINING = {"learning_rate": (1e-4, 1e-2), ALL_WEIGHTS: (0.1, 10.0)}


def space_of(factory: Callable) -> dict:
    """Returns the search space of a factory.

    A factory publishes its space as an attribute, such as
    `build_mlp.search_space = {...}`. For the factories of `mtl_keras.models`,
    this attribute extends or overrides a default space.

    Args:
        factory: A factory, or any callable that builds a model.

    Returns:
        Dict from name to range, list of choices or fixed value. It is empty if
        the factory publishes none.

    Example:

    >>> from mtl_keras import tuning
    >>> sorted(tuning.space_of(mtl_keras.build_mlp))[:3]
    ['dropout', 'learning_rate', 'loss_weight']
    """
    published = getattr(factory, "search_space", {})
    name = getattr(factory, "__name__", "")
    if name not in models.names() or models.get(name) is not factory:
        return dict(published)
    named, _ = get_parameters(factory)
    graph = {name: values for name, values in _GRAPH.items() if name in named}
    return {**graph, **_TRAINING, **published}
