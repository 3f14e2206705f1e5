"""Copies of initializers, for variables that hold several of a kind."""

from __future__ import annotations

import keras


def nth_copy(initializer, index: int):
    """A copy that draws other numbers; one with a seed gets the next seeds.

    Args:
        initializer: A Keras initializer, or a function, which is returned.
        index: Number of the copy.
    """
    if not isinstance(initializer, keras.initializers.Initializer):
        return initializer
    config = initializer.get_config()
    if isinstance(config.get("seed"), int):
        config["seed"] += index
    return type(initializer).from_config(config)
