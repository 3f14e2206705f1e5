"""Matches a dict of inputs to the inputs of a model by their names."""

from __future__ import annotations

from collections.abc import Mapping

import keras

from mtl_keras.safe_name import safe_name
from mtl_keras.spelling import did_you_mean


def inputs_by_name(network, x):
    """Orders a dict of inputs as a model takes them.

    Args:
        network: A functional model.
        x: Inputs.

    Returns:
        The inputs in the structure of the model. An input whose name was
        derived from that of a column is known by the name of the column too,
        see `mtl_keras.safe_name`. Anything but a dict is
        returned as it is. A model that takes a dict gets what it knows of one,
        as in Keras.

    Raises:
        ValueError: If a dict lacks an input, or names one that a model of
            other than a dict does not have.
    """
    if not isinstance(x, Mapping):
        return x
    x = _by_safe_name(network, x)
    if isinstance(network.input, Mapping):
        _check_named(x, list(network.input))
        return {name: x[name] for name in network.input}
    names = [tensor.name for tensor in network.inputs]
    for name in x:
        if name not in names:
            raise ValueError(
                f"Inputs name {name!r}, which the model does not have. "
                f"{did_you_mean(name, names)}"
            )
    _check_named(x, names)
    ordered = [x[name] for name in names]
    return keras.tree.pack_sequence_as(network.input, ordered)


def _check_named(x: Mapping, names: list[str]) -> None:
    for name in names:
        if name not in x:
            raise ValueError(
                f"Inputs lack {name!r}; found {sorted(x)}, expected {names}."
            )


def _by_safe_name(network, x: Mapping) -> Mapping:
    """Renames inputs that have the names of columns."""
    names = {tensor.name for tensor in network.inputs}
    if names.issuperset(x):
        return x
    renamed = {}
    for name, values in x.items():
        safe = name
        if name not in names and isinstance(name, str) and name.strip():
            safe = safe_name(name)
        renamed[safe if safe in names and safe not in x else name] = values
    return renamed
