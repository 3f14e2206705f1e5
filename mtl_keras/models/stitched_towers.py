"""Towers that combine their activations after each level."""

from __future__ import annotations

from collections.abc import Sequence

import keras

from mtl_keras.layers import CrossStitch
from mtl_keras.models.towers import build_towers
from mtl_keras.tasks import Task


class CrossStitches:
    """Creates and numbers the cross-stitch layers of a model.

    Args:
        num_tasks: Number of towers.
        own: See `mtl_keras.layers.CrossStitch`.
        per_channel: See `mtl_keras.layers.CrossStitch`.
    """

    def __init__(self, num_tasks: int, own: float, per_channel: bool):
        self._arguments = (num_tasks, own, per_channel)
        self._count = 0

    def __call__(self, features: list) -> list:
        self._count += 1
        layer = CrossStitch(
            *self._arguments, name=f"cross_stitch_{self._count}"
        )
        return [layer(features, task=k) for k in range(len(features))]


def dense_towers(
    features: Sequence,
    tasks: Sequence[Task],
    widths: Sequence[int],
    *,
    stitches: CrossStitches,
    regularizer,
    **settings,
) -> dict:
    """Builds a tower of dense layers for each task, stitched at each level.

    Args:
        features: Keras tensor that each tower reads.
        tasks: List of tasks.
        widths: Width of each hidden layer.
        stitches: Creates the cross-stitch layers.
        regularizer: Keras regularizer of the kernels, or `None`.
        **settings: Activation, normalization and dropout.

    Returns:
        Dict from task name to features.
    """

    def dense(level: int, index: int, x):
        return keras.layers.Dense(
            widths[level - 1],
            use_bias=settings["normalization"] is None,
            kernel_regularizer=regularizer,
            name=f"{tasks[index].name}_tower_dense_{level}",
        )(x)

    return build_towers(
        features, tasks, len(widths), dense, stitches, **settings
    )
