"""Matches a dict of inputs to the inputs of a model by their names."""

from __future__ import annotations

from collections.abc import Mapping

import keras

from mtl_keras.spelling import did_you_mean


def inputs_by_name(network, x):
    """Orders a dict of inputs as a model takes them.

    Args:
        network: A functional model.
        x: Inputs.

    Returns:
        The inputs in the structure of the model. Anything but a dict is
        returned as it is, and so is a dict for a model that takes one.

    Raises:
        ValueError: If a dict lacks an input, or names another one.
    """
    if not isinstance(x, Mapping) or isinstance(network.input, Mapping):
        return x
    names = [tensor.name for tensor in network.inputs]
    for name in x:
        if name not in names:
            raise ValueError(
                f"Inputs name {name!r}, which the model does not have. "
                f"{did_you_mean(name, names)}"
            )
    for name in names:
        if name not in x:
            raise ValueError(
                f"Inputs lack {name!r}; found {sorted(x)}, expected {names}."
            )
    ordered = [x[name] for name in names]
    return keras.tree.pack_sequence_as(network.input, ordered)
