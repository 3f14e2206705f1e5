"""Convolutional network with one shared trunk, for tasks on whole images."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Unpack

import keras

from mtl_keras import trunks
from mtl_keras.models import arguments
from mtl_keras.models.build_model import ModelOptions, build_model
from mtl_keras.models.factory import factory
from mtl_keras.models.heads import add_heads
from mtl_keras.models.inputs import image_inputs
from mtl_keras.models.trunk_sizes import resolve_filters, resolve_widths
from mtl_keras.tasks import Classification, Task
from mtl_keras.training import MultiTaskModel


@factory("images", search_space={"trunk_width": [8, 16, 32, 64]})
def build_cnn(
    input_shape: Sequence[int] = (28, 28, 3),
    tasks: Sequence[Task] | None = None,
    *,
    num_classes: int | Sequence[int] | None = None,
    filters: Sequence[int] | None = None,
    trunk_width: int | None = None,
    trunk_depth: int | None = None,
    hidden_units: Sequence[int] = (128,),
    activation: str = "relu",
    normalization: str | None = None,
    dropout: float = 0.0,
    l1: float = 0.0,
    l2: float = 0.0,
    preprocessing: keras.layers.Layer | Sequence | None = None,
    name: str = "cnn",
    **options: Unpack[ModelOptions],
) -> MultiTaskModel:
    """Builds a convolutional network whose layers all tasks share.

    Without arguments: images of 28 x 28 x 3, a convolution with 32 filters and
    one with 64, each followed by pooling, a dense layer of 128 units, and
    three heads of 10 classes.

    Args:
        tasks: List of tasks that read one feature vector: classifications,
            regressions, multi-label. Defaults to `Classification`s named
            `task_1`, `task_2`, ...
        num_classes: Number of classes of each of three default tasks, or a
            list with the number of each default task. Defaults to 10. Cannot
            be combined with `tasks`.
        filters: Number of filters of each convolution. Defaults to `(32, 64)`.
        hidden_units: Width of each dense layer after the convolutions.
            Defaults to `(128,)`.
        normalization: Normalization of the convolutions: `"batch"`,
            `"group"`, `"layer"` or `None`. Defaults to `None`.
        dropout: Dropout rate after each dense layer, in [0, 1). Defaults to
            `0`.

    Example:

    >>> model = mtl_keras.build_cnn(num_classes=(10, 5))
    >>> model.task_output_shapes
    {'task_1': (10,), 'task_2': (5,)}
    """
    shape = arguments.check_input_shape(input_shape, 3, "(28, 28, 3)")
    tasks = arguments.resolve_tasks(
        tasks, _default_tasks, num_classes=num_classes
    )
    filters = resolve_filters(
        filters, trunk_width, trunk_depth, default=(32, 64)
    )
    units = resolve_widths("hidden_units", hidden_units, default=(128,))
    convolutions = arguments.convolution_settings(
        activation, normalization, dropout, l1, l2
    )
    arguments.check_poolings(shape, len(filters))

    inputs, x = image_inputs(shape, preprocessing)
    x, _ = trunks.cnn_encoder(x, filters, name="trunk", **convolutions)
    x = keras.layers.Flatten(name="trunk_flatten")(x)
    x = trunks.mlp(
        x,
        units,
        activation=activation,
        dropout=dropout,
        regularizer=convolutions["regularizer"],
    )
    outputs = add_heads({task.name: x for task in tasks}, tasks)
    return build_model(inputs, outputs, tasks, name, **options)


def _default_tasks(num_classes: int | Sequence[int] | None) -> list[Task]:
    if num_classes is None:
        num_classes = 10
    if not isinstance(num_classes, Sequence):
        num_classes = [num_classes] * 3
    if not num_classes:
        raise ValueError(
            "num_classes is empty; expected a number of classes for each task."
        )
    return [
        Classification(f"task_{index}", count)
        for index, count in enumerate(num_classes, start=1)
    ]
