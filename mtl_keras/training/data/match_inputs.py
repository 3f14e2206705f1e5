"""Matches a dict of inputs to the inputs of a model by name."""

from __future__ import annotations

from collections.abc import Mapping

import keras

from mtl_keras.safe_name import safe_name
from mtl_keras.spelling import did_you_mean


def match_inputs(model, x):
    """Converts a dict of inputs to the input structure of a model.

    A key may be the name of an input, or the column name that the input name
    was derived from (see `mtl_keras.safe_name`).

    Args:
        model: A functional model.
        x: Inputs. Only a dict is converted.

    Returns:
        The inputs in the structure of the model. As in Keras, a model with a
        dict of inputs ignores other keys.

    Raises:
        ValueError: If an input is missing, or a key is unknown and the model
            has no dict of inputs.
    """
    if not isinstance(x, Mapping):
        return x
    x = _rename_columns(model, x)
    if isinstance(model.input, Mapping):
        _check_all_given(x, list(model.input))
        return {name: x[name] for name in model.input}
    names = [tensor.name for tensor in model.inputs]
    for name in x:
        if name not in names:
            raise ValueError(
                f"Inputs name {name!r}, which the model does not have. "
                f"{did_you_mean(name, names)}"
            )
    _check_all_given(x, names)
    ordered = [x[name] for name in names]
    return keras.tree.pack_sequence_as(model.input, ordered)


def _check_all_given(x: Mapping, names: list[str]) -> None:
    for name in names:
        if name not in x:
            raise ValueError(
                f"Inputs lack {name!r}; found {sorted(x)}, expected {names}."
            )


def _rename_columns(model, x: Mapping) -> Mapping:
    """Renames keys that are column names to input names."""
    names = {tensor.name for tensor in model.inputs}
    if names.issuperset(x):
        return x
    renamed = {}
    for name, values in x.items():
        safe = name
        if name not in names and isinstance(name, str) and name.strip():
            safe = safe_name(name)
        renamed[safe if safe in names and safe not in x else name] = values
    return renamed
