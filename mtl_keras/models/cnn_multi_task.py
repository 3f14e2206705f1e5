"""Shared encoder for tasks on images and on pixels."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Unpack

import keras

from mtl_keras import trunks
from mtl_keras.models import arguments
from mtl_keras.models.build_model import ModelOptions, build_model
from mtl_keras.models.default_tasks import class_mask_and_depth
from mtl_keras.models.factory import factory
from mtl_keras.models.heads import add_heads
from mtl_keras.models.inputs import image_inputs
from mtl_keras.models.light_decoder import light_decoder
from mtl_keras.models.pixel_tasks import is_pixel_task
from mtl_keras.models.pooling import pool
from mtl_keras.models.trunk_sizes import resolve_filters
from mtl_keras.tasks import Task
from mtl_keras.training import MultiTaskModel


@factory(
    "images",
    search_space={"trunk_width": [8, 16, 32], "trunk_depth": [2, 3, 4]},
)
def build_cnn_multi_task(
    input_shape: Sequence[int | None] = (32, 32, 3),
    tasks: Sequence[Task] | None = None,
    *,
    num_classes: int | None = None,
    num_mask_classes: int | None = None,
    filters: Sequence[int] | None = None,
    trunk_width: int | None = None,
    trunk_depth: int | None = None,
    decoder_filters: int = 16,
    activation: str = "relu",
    normalization: str | None = "batch",
    dropout: float = 0.0,
    l1: float = 0.0,
    l2: float = 0.0,
    preprocessing: keras.layers.Layer | Sequence | None = None,
    name: str = "cnn_multi_task",
    **options: Unpack[ModelOptions],
) -> MultiTaskModel:
    """Builds a shared encoder with a light decoder for each pixel task.

    Tasks on the whole image (`classification`) read the pooled bottleneck of
    the encoder. Each task on pixels (`segmentation`, `depth`) has a decoder
    that sums the levels of the encoder. With the default widths, a decoder has
    a fifteenth of the encoder's parameters.

    Args:
        input_shape: Shape of one image, `(height, width, channels)`. Height
            and width must be divisible by 2 to the power of the number of
            levels minus one (4 by default). `None` is any such size. Defaults
            to `(32, 32, 3)`.
        tasks: List of tasks: any number of `Segmentation`s and
            `DenseRegression`s, and of tasks that read one feature vector.
            Defaults to `Classification("classification", 10)`,
            `Segmentation("segmentation", 1)` and `DenseRegression("depth")`.
        filters: Number of filters of each level of the encoder. Defaults to
            `(16, 32, 64, 128)`.
        dropout: Dropout rate of the pooled bottleneck, before the heads on
            the whole image, in [0, 1). Defaults to `0`.

    Reference:
        Lin et al., "Feature Pyramid Networks for Object Detection", CVPR 2017
        (the decoders).

    Example:

    >>> model = mtl_keras.build_cnn_multi_task(num_mask_classes=3)
    >>> model.task_output_shapes["depth"]
    (32, 32, 1)
    """
    shape = arguments.check_input_shape(input_shape, 3, "(32, 32, 3)")
    tasks = arguments.resolve_tasks(
        tasks,
        class_mask_and_depth,
        num_classes=num_classes,
        num_mask_classes=num_mask_classes,
    )
    filters = resolve_filters(
        filters, trunk_width, trunk_depth, default=(16, 32, 64, 128)
    )
    settings = arguments.convolution_settings(
        activation, normalization, dropout, l1, l2
    )
    arguments.check_divisible(shape, len(filters) - 1)
    decoder_filters = arguments.check_integer(
        "decoder_filters", decoder_filters, minimum=1
    )

    inputs, x = image_inputs(shape, preprocessing)
    bottleneck, skips = trunks.cnn_encoder(
        x, filters, pool_last=False, **settings
    )
    features = {}
    image_tasks = [task for task in tasks if not is_pixel_task(task)]
    if image_tasks:
        pooled = pool(bottleneck, dropout, "bottleneck")
        features |= {task.name: pooled for task in image_tasks}
    for task in filter(is_pixel_task, tasks):
        features[task.name] = light_decoder(
            [*skips, bottleneck],
            [1] + [2] * len(skips),
            decoder_filters,
            name=f"{task.name}_decoder",
            **settings,
        )
    outputs = add_heads(features, tasks)
    return build_model(inputs, outputs, tasks, name, **options)
