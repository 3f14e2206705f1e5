"""Levels of a shared trunk, with an attention for each task."""

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
    """Builds a trunk, and an attention for each task at each level.

    The attended features of a task pass through a convolution, shared by all
    tasks, and a pooling to the next level.

    Args:
        x: Keras tensor of shape `(batch, height, width, channels)`.
        tasks: List of tasks.
        filters: Number of filters of each level.
        activation: Any Keras activation.
        normalization: See `mtl_keras.normalization`.
        regularizer: Keras regularizer of the kernels, or `None`.

    Returns:
        List with a dict from task name to attended features for each level.
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
            lift = _create_lift(level, channels, **settings)
            below = {name: [lift(maps)] for name, maps in levels[-1].items()}
        read = trunks.convolutions(
            x, channels, name=f"read_{level}", **settings
        )
        x = trunks.convolutions(
            read, channels, name=f"trunk_{level}", **settings
        )
        attended = {}
        for task in tasks:
            attention = TaskAttention(
                normalization=normalization,
                kernel_regularizer=regularizer,
                name=f"{task.name}_attention_{level}",
            )
            attended[task.name] = attention(
                [x, read, *below.get(task.name, ())]
            )
        levels.append(attended)
    return levels


def _create_lift(
    level: int, channels: int, *, activation, normalization, regularizer
):
    """Creates the layers that lift features from one level to the next."""
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

    def lift(x):
        for layer in layers:
            x = x if layer is None else layer(x)
        return x

    return lift
