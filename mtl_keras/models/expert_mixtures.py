"""Experts that are computed together, and mixtures of them."""

from __future__ import annotations

from collections.abc import Sequence

import keras

from mtl_keras import trunks
from mtl_keras.layers import Experts
from mtl_keras.normalization import most_groups, normalize


def expert_mlps(
    x,
    num_experts: int,
    hidden_units: Sequence[int],
    *,
    activation: str,
    normalization: str | None,
    dropout: float,
    regularizer,
    name: str = "experts",
):
    """Builds several multilayer perceptrons on one input, layer by layer.

    Args:
        x: Keras tensor of shape `(batch, features)`.
        num_experts: Number of experts.
        hidden_units: Width of each hidden layer of an expert.
        activation: See `mtl_keras.trunks.mlp`.
        normalization: See `mtl_keras.trunks.mlp`.
        dropout: See `mtl_keras.trunks.mlp`.
        regularizer: See `mtl_keras.trunks.mlp`.
        name: Prefix of the layer names. Defaults to `"experts"`.

    Returns:
        Keras tensor of shape `(batch, experts, hidden_units[-1])`.
    """
    for level, units in enumerate(hidden_units, start=1):
        x = Experts(
            num_experts,
            units,
            use_bias=normalization is None,
            kernel_regularizer=regularizer,
            name=f"{name}_dense_{level}",
        )(x)
        x = _normalize_experts(
            x, normalization, f"{name}_normalization_{level}"
        )
        x = trunks.activate(
            x,
            activation,
            normalization=None,
            dropout=dropout,
            name=name,
            level=level,
        )
    return x


def _normalize_experts(x, normalization: str | None, name: str):
    """Normalizes each expert separately."""
    if normalization in (None, "layer"):
        return normalize(x, normalization, name)
    _, num_experts, units = x.shape
    flat = keras.layers.Flatten(name=f"{name}_flatten")(x)
    if normalization == "group":
        groups = most_groups(units) * num_experts
        flat = keras.layers.GroupNormalization(groups, name=name)(flat)
    else:
        flat = normalize(flat, normalization, name)
    shape = (num_experts, units)
    return keras.layers.Reshape(shape, name=f"{name}_reshape")(flat)


def concatenate_experts(experts: Sequence, name: str):
    """Concatenates the experts of several tensors.

    Args:
        experts: Keras tensors of shape `(batch, experts, units)`.
        name: Name of the layer.

    Returns:
        Keras tensor of shape `(batch, all_experts, units)`.
    """
    if len(experts) == 1:
        return experts[0]
    return keras.layers.Concatenate(axis=1, name=name)(experts)


def mix_experts(
    experts,
    gate_input,
    name: str,
    gate: keras.layers.Layer | None = None,
    level: int | None = None,
):
    """Sums experts, weighted by a gate.

    Args:
        experts: Keras tensor of shape `(batch, experts, units)`.
        gate_input: Input of the gate, of shape `(batch, features)`.
        name: Prefix of the layer names.
        gate: Layer whose output is a weight for each expert, of shape
            `(batch, experts)`. Defaults to the softmax of a linear map. A
            single expert needs no gate.
        level: Number at the end of the layer names. Defaults to `None`.

    Returns:
        Keras tensor of shape `(batch, units)`.
    """
    _, num_experts, units = experts.shape
    end = "" if level is None else f"_{level}"
    mixture = f"{name}_mixture{end}"
    if num_experts == 1:
        return keras.layers.Reshape((units,), name=mixture)(experts)
    if gate is None:
        gate = keras.layers.Dense(
            num_experts,
            activation="softmax",
            use_bias=False,
            name=f"{name}_gate{end}",
        )
    weights = gate(gate_input)
    return keras.layers.Dot(axes=1, name=mixture)([weights, experts])
