"""Copies of an initializer, for variables that stack several kernels."""

from __future__ import annotations

import keras


def nth_copy(initializer, index: int):
    """Returns a copy of an initializer that draws other numbers.

    A copy of an initializer with a seed has the seed plus `index`.

    Args:
        initializer: A Keras initializer, or a function.
        index: Number of the copy.

    Returns:
        The copy. A function is returned unchanged.
    """
    if not isinstance(initializer, keras.initializers.Initializer):
        return initializer
    config = initializer.get_config()
    if isinstance(config.get("seed"), int):
        config["seed"] += index
    return type(initializer).from_config(config)
