"""Convolutional network that tasks read at different depths."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Unpack

import keras

from mtl_keras import trunks
from mtl_keras.models import arguments
from mtl_keras.models.build_model import ModelOptions, build_model
from mtl_keras.models.default_tasks import coarse_and_fine
from mtl_keras.models.factory import factory
from mtl_keras.models.hierarchy import Hierarchy
from mtl_keras.models.inputs import image_inputs
from mtl_keras.models.trunk_sizes import resolve_filters
from mtl_keras.tasks import Task
from mtl_keras.training import MultiTaskModel


@factory("images", search_space={"trunk_width": [8, 16, 32]})
def build_hierarchical_cnn(
    input_shape: Sequence[int] = (28, 28, 3),
    tasks: Sequence[Task] | None = None,
    *,
    num_classes: int | Sequence[int] | None = None,
    filters: Sequence[int] | None = None,
    trunk_width: int | None = None,
    trunk_depth: int | None = None,
    levels: Mapping[str, int] | None = None,
    feeds: Mapping[str, Sequence[str]] | None = None,
    stop_gradient: bool = True,
    activation: str = "relu",
    normalization: str | None = None,
    dropout: float = 0.0,
    l1: float = 0.0,
    l2: float = 0.0,
    preprocessing: keras.layers.Layer | Sequence | None = None,
    name: str = "hierarchical_cnn",
    **options: Unpack[ModelOptions],
) -> MultiTaskModel:
    """Builds a convolutional network that tasks read at different depths.

    A level of the trunk is a convolution and a pooling. A task reads the mean
    of each channel, and may also read the predictions of other tasks.

    Args:
        tasks: List of tasks. Defaults to `Classification("coarse", 2)` and
            `Classification("fine", 10)`.
        num_classes: Number of classes of both default tasks, or of each of
            them. Defaults to `(2, 10)`. Cannot be combined with `tasks`.
        filters: Number of filters of each convolution. Defaults to
            `(32, 64, 128)`.
        dropout: Dropout rate of the features that tasks read, in [0, 1).
            Defaults to `0`.

    Reference:
        Sogaard and Goldberg, "Deep multi-task learning with low level tasks
        supervised at lower layers", ACL 2016; Hashimoto et al., "A Joint
        Many-Task Model", EMNLP 2017 (predictions of lower tasks as inputs).

    Example:

    >>> model = mtl_keras.build_hierarchical_cnn(
    ...     (16, 16, 1), filters=(8, 16), feeds={"fine": ["coarse"]}
    ... )
    >>> model.get_layer("coarse").kernel.shape
    TensorShape([8, 2])
    >>> model.get_layer("fine").kernel.shape
    TensorShape([18, 10])
    """
    shape = arguments.check_input_shape(input_shape, 3, "(28, 28, 3)")
    tasks = arguments.resolve_tasks(
        tasks, coarse_and_fine, num_classes=num_classes
    )
    filters = resolve_filters(
        filters, trunk_width, trunk_depth, default=(32, 64, 128)
    )
    hierarchy = Hierarchy(tasks, len(filters), levels, feeds, stop_gradient)
    settings = arguments.convolution_settings(
        activation, normalization, dropout, l1, l2
    )
    arguments.check_poolings(shape, len(filters))

    inputs, x = image_inputs(shape, preprocessing)
    maps = []
    for level, count in enumerate(filters, start=1):
        x, _ = trunks.cnn_encoder(
            x, (count,), name=f"trunk_{level}", **settings
        )
        maps.append(x)
    outputs = hierarchy.add_heads(_PooledLevels(maps, dropout))
    return build_model(inputs, outputs, tasks, name, **options)


class _PooledLevels:
    """Pools the levels of a trunk, each when the first task reads it."""

    def __init__(self, maps: list, dropout: float):
        self._maps, self._dropout, self._pooled = maps, dropout, {}

    def __getitem__(self, index: int):
        if index not in self._pooled:
            name = f"trunk_{index + 1}"
            mean = keras.layers.GlobalAveragePooling2D(name=f"{name}_mean")
            x = mean(self._maps[index])
            if self._dropout:
                x = keras.layers.Dropout(self._dropout, name=f"{name}_dropout")(
                    x
                )
            self._pooled[index] = x
        return self._pooled[index]
