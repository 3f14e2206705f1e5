"""Levels of a shared trunk, of which each task takes what it attends to."""

from __future__ import annotations

from collections.abc import Sequence

import keras

from mtl_keras import trunks
from mtl_keras.layers import TaskAttention
from mtl_keras.normalization import normalization_layer
from mtl_keras.tasks import Task


def attended_levels(
    x,
    tasks: Sequence[Task],
    filters: Sequence[int],
    *,
    activation: str,
    normalization: str | None,
    regularizer,
) -> list[dict]:
    """Builds the trunk, and an attention for each task at each level.

    What a task picked at a level goes through a convolution, the same for all
    tasks, and pooling to the level above.

    Args:
        x: Keras tensor of shape `(batch, height, width, channels)`.
        tasks: The tasks.
        filters: Channels of each level.
        activation: Any Keras activation.
        normalization: See `mtl_keras.normalization`.
        regularizer: Keras regularizer of the kernels, or `None`.

    Returns:
        For each level a dict from task name to what the task picked there.
    """
    settings = {
        "activation": activation,
        "normalization": normalization,
        "regularizer": regularizer,
    }
    levels = []
    for level, channels in enumerate(filters, start=1):
        below = {}
        if levels:
            x = keras.layers.MaxPooling2D(name=f"trunk_{level - 1}_pool")(x)
            raise_level = _raise(level, channels, **settings)
            below = {k: [raise_level(v)] for k, v in levels[-1].items()}
        read = trunks.convolutions(
            x, channels, name=f"read_{level}", **settings
        )
        x = trunks.convolutions(
            read, channels, name=f"trunk_{level}", **settings
        )
        picked = {}
        for task in tasks:
            attention = TaskAttention(
                normalization=normalization,
                kernel_regularizer=regularizer,
                name=f"{task.name}_attention_{level}",
            )
            picked[task.name] = attention([x, read, *below.get(task.name, ())])
        levels.append(picked)
    return levels


def _raise(
    level: int, channels: int, *, activation, normalization, regularizer
):
    """Layers that take what a task picked below up to a level."""
    name = f"raise_{level}"
    layers = [
        keras.layers.Conv2D(
            channels,
            kernel_size=3,
            padding="same",
            use_bias=normalization is None,
            kernel_initializer="he_normal",
            kernel_regularizer=regularizer,
            name=f"{name}_conv",
        ),
        normalization_layer(
            normalization, channels, name=f"{name}_normalization"
        ),
        keras.layers.Activation(activation, name=f"{name}_activation"),
        keras.layers.MaxPooling2D(name=f"{name}_pool"),
    ]

    def raise_level(x):
        for layer in layers:
            x = x if layer is None else layer(x)
        return x

    return raise_level
